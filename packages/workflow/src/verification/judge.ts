import type { LayerNoise } from "@nasty/compression";
import type { LoadedModel } from "../models/load-model.js";
import type { Reporter } from "../reporter.js";
import { brokenLayerOf, differenceOf, firstUnlike } from "./broken-layer.js";
import { type FirstDifference, firstDifference } from "./first-difference.js";
import { type OutputError, outputErrors, sizeOf, worstBatch } from "./output-error.js";
import { engineError, flipsOf, type NotRun, type Ran } from "./run-engine.js";
import type { EngineStatus, EngineVerdict, VerificationResult } from "./verification-result.js";

interface Judging {
  readonly loaded: LoadedModel;
  readonly original: LoadedModel | undefined;
  /** What the original said. */
  readonly source: Ran | undefined;
  /** Undefined where no engine ran the file. */
  readonly reference: Ran | undefined;
  /** A layer that does not do what the original's does. */
  readonly layer: LayerNoise | undefined;
  readonly tolerance: number;
  readonly minCosine: number | null;
  /** Whether engines were asked for by name: then one that cannot run the file fails the check. */
  readonly isAsked: boolean;
  readonly threads: number;
  readonly reporter: Reporter;
}

/** What each engine made of the file, and whether that is right. */
export async function judge(
  results: readonly (Ran | NotRun)[],
  judging: Judging,
): Promise<Pick<VerificationResult, "engines" | "brokenLayer" | "passed">> {
  const engines: EngineVerdict[] = [];
  for (const result of results) {
    engines.push(result.kind === "ran" ? await judged(result, judging) : notJudged(result));
  }
  const { layer, isAsked, reference } = judging;
  const isRight = ({ status }: EngineVerdict): boolean =>
    status === "agrees" || (!isAsked && (status === "missing" || status === "lacks"));
  return {
    engines,
    brokenLayer: layer === undefined ? null : brokenLayerOf(layer),
    passed: reference !== undefined && layer === undefined && engines.every(isRight),
  };
}

function notJudged({ kind, engine, version, reason }: NotRun): EngineVerdict {
  return {
    name: engine.name,
    version: version ?? null,
    available: kind !== "missing",
    status: kind,
    reason,
    maxError: null,
    relativeError: null,
    cosine: null,
    engineError: null,
    outputs: [],
    firstDifference: null,
  };
}

async function judged(ran: Ran, judging: Judging): Promise<EngineVerdict> {
  const { source, reference = ran, tolerance, minCosine, layer } = judging;
  const against = source ?? reference;
  const outputs = outputErrors(against.outputs, ran.outputs);
  const fromReference = ran === reference ? null : engineError(reference, ran);
  const departs = ran !== reference && sizeOf(fromReference) > tolerance;
  const isUnlike =
    minCosine !== null && outputs.some((one) => one.maxError === null || one.cosine < minCosine);
  const status: EngineStatus = departs || isUnlike || layer !== undefined ? "departs" : "agrees";
  const flips = flipsOf(against.labels, ran.labels);
  return {
    name: ran.engine.name,
    version: ran.version,
    available: true,
    status,
    maxError: worst(outputs, ({ maxError }) => maxError),
    relativeError: worst(outputs, ({ relativeError }) => relativeError),
    cosine: Math.min(1, ...outputs.map(({ cosine }) => cosine)),
    engineError: fromReference,
    ...(flips !== undefined && { flips }),
    outputs,
    firstDifference: departs
      ? await differenceOfEngine(ran, reference, judging)
      : isUnlike || layer !== undefined
        ? await differenceOfFile(ran, judging)
        : null,
  };
}

const worst = (outputs: readonly OutputError[], of: (one: OutputError) => number | null): number | null => {
  const largest = Math.max(0, ...outputs.map((one) => sizeOf(of(one))));
  return Number.isFinite(largest) ? largest : null;
};

/** The node that an engine computes otherwise than the reference. */
async function differenceOfEngine(
  ran: Ran,
  reference: Ran,
  { loaded, tolerance, threads, reporter }: Judging,
): Promise<FirstDifference | null> {
  const errors = outputErrors(reference.outputs, ran.outputs);
  const largest = Math.max(...errors.map(({ relativeError }) => sizeOf(relativeError)));
  const output = errors.find(({ relativeError }) => sizeOf(relativeError) === largest)?.name;
  const batch =
    output === undefined ? undefined : ran.batches[worstBatch(reference.outputs, ran.outputs, output)];
  if (output === undefined || batch === undefined) return null;
  reporter.progress.start(`looking for the first node that ${ran.engine.name} computes otherwise`);
  const search = { reference: reference.engine, engine: ran.engine, batch, output, tolerance, threads };
  const found = await firstDifference(loaded.model, { ...search, signal: reporter.signal });
  reporter.progress.stop();
  return found ?? null;
}

/** The layer of the file that is not the original's, or the first value that is unlike its own. */
async function differenceOfFile(
  ran: Ran,
  { loaded, original, layer, minCosine, threads, reporter }: Judging,
): Promise<FirstDifference | null> {
  if (layer !== undefined) return differenceOf(layer);
  const [batch] = ran.batches;
  if (original === undefined || batch === undefined || minCosine === null) return null;
  const check = {
    original: original.model,
    model: loaded.model,
    engine: ran.engine,
    batch,
    threads,
    signal: reporter.signal,
  };
  return (await firstUnlike(check, minCosine)) ?? null;
}
