import type { CalibrationBatch } from "@nasty/calibration";
import { RuntimeError, type RuntimeErrorCode } from "@nasty/runtime";
import { TaggerError } from "@nasty/taggers";
import type { LoadedModel } from "../models/load-model.js";
import { lacksOf, lackText } from "../targets/engine-faults.js";
import type { FoundForm } from "../targets/forms.js";
import type { Engine } from "./engine.js";
import { countFlips, labelsOn, type Tagging } from "./engine-labels.js";
import { largestAt, outputErrors, type Outputs, outputsOf, sizeOf } from "./output-error.js";

type Labels = readonly (readonly string[])[];

/** What an engine computed. */
export interface Ran {
  readonly kind: "ran";
  readonly engine: Engine;
  readonly version: string;
  readonly batches: readonly CalibrationBatch[];
  readonly outputs: Outputs;
  readonly labels: Labels | undefined;
}

/** An engine that computed nothing. */
export interface NotRun {
  readonly kind: "missing" | "lacks" | "fails";
  readonly engine: Engine;
  /** Undefined where it is missing. */
  readonly version: string | undefined;
  readonly reason: string;
}

export interface EngineJob {
  readonly model: Pick<LoadedModel, "model" | "modelPath" | "tagger" | "text">;
  /** The forms that the file is written in. */
  readonly forms: readonly FoundForm[];
  readonly sentences: Labels;
  readonly candidates: readonly (readonly CalibrationBatch[])[];
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
}

/** What says that an engine has no kernel for something. */
const unsupported: ReadonlySet<RuntimeErrorCode> = new Set<RuntimeErrorCode>([
  "unsupported-model",
  "unsupported-operator",
  "unsupported-type",
]);

/**
 * Runs a file on an engine.
 *
 * @returns why it did not run, for an engine that is not there, has no kernel for a form, or fails
 */
export async function runOn(engine: Engine, job: EngineJob): Promise<Ran | NotRun> {
  let version: string;
  try {
    version = await engine.version();
  } catch (error) {
    return { kind: "missing", engine, version: undefined, reason: messageOf(error) };
  }
  const { name } = engine;
  if (name === "native" || name === "wasm") {
    const [lack] = lacksOf(job.forms, { name, version });
    if (lack !== undefined) {
      return { kind: "lacks", engine, version, reason: lackText(lack, { name, version }) };
    }
  }
  try {
    const { batches, outputs } = await firstAccepted(engine, job);
    const { tagger, text } = job.model;
    const labels =
      tagger !== undefined
        ? await labelsOrNone(engine, { ...job.model, tagger }, job)
        : text?.kind === "sequence-classification"
          ? classesOf(outputs)
          : undefined;
    return { kind: "ran", engine, version, batches, outputs, labels };
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const kind = unsupported.has(error.code) ? "lacks" : "fails";
    return { kind, engine, version, reason: messageOf(error) };
  }
}

/** The class of each text: that of the largest score, as one label. */
function classesOf(outputs: Outputs): Labels {
  const [scores = []] = outputs.values();
  return scores.map(({ data, width }) => [String(largestAt(data, 0, Math.min(width, data.length)))]);
}

/** Labels of the sentences; undefined where there are none, or scores that are no numbers give none. */
async function labelsOrNone(
  engine: Engine,
  model: Tagging,
  { sentences, threads, signal }: EngineJob,
): Promise<Labels | undefined> {
  if (sentences.length === 0) return undefined;
  try {
    return await labelsOn(engine, model, sentences, { threads, signal });
  } catch (error) {
    if (error instanceof TaggerError && error.code === "output") return undefined;
    throw error;
  }
}

/** Outputs on the first inputs that the model accepts: some graphs take no short sequences, others no long ones. */
async function firstAccepted(
  engine: Engine,
  { model, candidates, threads, signal }: EngineJob,
): Promise<Pick<Ran, "batches" | "outputs">> {
  const session = await engine.open(model.modelPath, { threads });
  try {
    for (const [i, batches] of candidates.entries()) {
      try {
        return { batches, outputs: await outputsOf(session, batches, signal) };
      } catch (error) {
        if (!(error instanceof RuntimeError) || i === candidates.length - 1) throw error;
      }
    }
  } finally {
    await session.close();
  }
  throw new RuntimeError(
    "missing-input",
    "run: inputs: expected inputs whose types have numbers and whose rank is known, got others; give inputs",
  );
}

/** The largest relative error of an output of the second; null as in `OutputError`. */
export function engineError(a: Pick<Ran, "outputs">, b: Pick<Ran, "outputs">): number | null {
  const errors = outputErrors(a.outputs, b.outputs).map(({ relativeError }) => sizeOf(relativeError));
  const largest = Math.max(0, ...errors);
  return Number.isFinite(largest) ? largest : null;
}

/** Words with another label; undefined where one has not tagged. */
export function flipsOf(before: Labels | undefined, after: Labels | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : countFlips(before, after);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
