import {
  type Departure,
  firstDeparture,
  isMisscaled,
  type OutputDrift,
  pairUnits,
  prepareModel,
  type Reference,
  referenceOf,
  sessionDrift,
} from "@nasty/compression";
import type { ModelVariant } from "@nasty/formats/hf";
import { type ModelProto, parseModel } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { type ModelSource, openSession, RuntimeError } from "@nasty/runtime";
import { GateError } from "../errors.js";
import type { DriftSample } from "./drift-sample.js";
import type { MappedModel } from "./mapped-original.js";

/** How far the written file's outputs are from those of what it was made of, as JSON has it. */
export interface DriftCheck {
  /**
   * What the two were run on: sentences of the given text, inputs made from the graph's own types, or nothing that the
   * original accepts.
   */
  readonly inputs: "text" | "made" | "none";
  /** Outputs less alike are refused. */
  readonly minCosine: number;
  readonly outputs: readonly Omit<OutputDrift, "gain">[];
}

/**
 * Cosine similarity below which an output is refused. 8 bits: it has nothing to do with the original's any more; 4 bits
 * are coarser. Float32 weights that were written as they were, or pruned: the same but for the order of sums.
 */
export const leastCosine = { exact: 0.9999, float: 0.999, int8: 0.9, int4: 0.8 } as const;

/**
 * How alike the outputs of each variant and its source must be: kernels of few bits differ with how a session fuses
 * them.
 */
export const leastCosineOf: Readonly<Record<ModelVariant, number>> = {
  fp32: leastCosine.float,
  fp16: leastCosine.float,
  q8: leastCosine.int8,
  int8: leastCosine.int8,
  uint8: leastCosine.int8,
  q4: leastCosine.int4,
  q4f16: leastCosine.int4,
  bnb4: leastCosine.int4,
};

/** A written file's outputs, and what they are compared with. */
export interface DriftJob {
  /** The command, for the refusal. */
  readonly operation: string;
  /** The model as the user named it. */
  readonly path: string;
  /** What the written file must be like: run once, unoptimized. */
  readonly original: ModelSource;
  /** The original's graph with its weights in its own file, which the runtime maps: {@link mappedOriginal}. */
  readonly mapped?: MappedModel | undefined;
  /** What that is, in words. Default `the original`. */
  readonly likeness?: string;
  readonly sample: DriftSample;
  readonly minCosine: number;
  readonly threads: number;
  /** Whether a gate has judged the file by its labels: then it is measured only. */
  readonly isJudged?: boolean;
  /** What to try, in the words of a sentence's second half; `departure` is undefined where no inner value departs. */
  readonly advice: (departure: Departure | undefined) => string;
  /** What became of the file. Default `nothing was written`. */
  readonly outcome?: string;
}

/**
 * Runs a written file beside what it was made of, without any label.
 *
 * @param written the file, under the name that it has for now; a model in memory that is not written yet
 * @throws GateError for an output that is not finite or less alike than it may be, naming the first node that departs
 */
export async function checkDrift(job: DriftJob, written: ModelSource): Promise<DriftCheck> {
  const reference = await driftReference(job);
  // A file that cannot be opened is none, whatever there is to run it on.
  const session = await openSession(written, { threads: job.threads });
  let outputs: readonly OutputDrift[];
  try {
    outputs = reference === undefined ? [] : await sessionDrift(reference, session);
  } finally {
    await session.close();
  }
  return judgeDrift(job, reference, outputs, written);
}

/** What the original says; undefined if it says nothing to any input. */
export async function driftReference({
  original,
  mapped,
  sample: { candidates },
  threads,
}: DriftJob): Promise<Reference | undefined> {
  if (mapped !== undefined) {
    try {
      return await referenceOf(mapped.graph, candidates, { threads, weightsFolder: mapped.folder });
    } catch (error) {
      // A runtime that maps nothing reads the file.
      if (!(error instanceof RuntimeError)) throw error;
    }
  }
  try {
    return await referenceOf(original, candidates, { threads });
  } catch (error) {
    // Of a model that the runtime has no kernels for (bfloat16), the float32 form speaks.
    if (!(error instanceof RuntimeError)) throw error;
    const { model, changes } = prepareModel(await parsed(original));
    if (changes.length === 0) throw error;
    return referenceOf(model, candidates, { threads });
  }
}

/** {@link checkDrift} of outputs that were measured in a session of the caller's. */
export async function judgeDrift(
  job: DriftJob,
  reference: Reference | undefined,
  outputs: readonly OutputDrift[],
  written: ModelSource,
): Promise<DriftCheck> {
  const { minCosine, sample, isJudged = false } = job;
  if (reference === undefined) return { inputs: "none", minCosine, outputs: [] };
  const worst = outputs.find((output) => !output.finite || output.cosine < minCosine || isMisscaled(output));
  const measured: DriftCheck = {
    inputs: sample.kind,
    minCosine,
    outputs: outputs.map(({ name, cosine, finite }) => ({ name, cosine, finite })),
  };
  if (worst === undefined || isJudged) return measured;
  throw new GateError(refusal(job, worst, await departureOf(job, written, reference)));
}

/** Where the values of the two graphs part; units may be in the order that quantizing put them into. */
async function departureOf(
  { original, minCosine, threads }: DriftJob,
  written: ModelSource,
  { batches }: Reference,
): Promise<Departure | undefined> {
  const [batch] = batches;
  if (batch === undefined) return undefined;
  const options = { minCosine, threads };
  const [before, after] = [await parsed(original), await parsed(written)];
  const plain = await firstDeparture(before, after, batch, options);
  const { model, layers } = plain === undefined ? { model: before, layers: 0 } : pairUnits(before);
  const paired = layers === 0 ? undefined : await firstDeparture(model, after, batch, options);
  // In the wrong order values depart where the order does, and not later than in the right one.
  return paired === undefined || plain === undefined || position(model, paired) < position(model, plain)
    ? plain
    : paired;
}

async function parsed(model: ModelSource): Promise<ModelProto> {
  if (typeof model === "string") return readModelFile(model);
  return model instanceof Uint8Array ? parseModel(model) : model;
}

const position = ({ graph }: ModelProto, { value }: Departure): number =>
  graph?.node.findIndex(({ output }) => output.includes(value)) ?? -1;

function refusal(
  {
    operation,
    path,
    minCosine,
    likeness = "the original",
    outcome = "nothing was written",
    advice,
  }: DriftJob,
  { name, cosine, gain, finite }: OutputDrift,
  departure: Departure | undefined,
): string {
  const size = isMisscaled({ cosine, gain }) ? ` at ${gain.toFixed(2)} times the size` : "";
  const got = finite ? `got ${cosine.toFixed(3)}${size}` : "got values that are not finite";
  const where =
    departure === undefined
      ? "no inner value departs before it"
      : `values first depart at ${departure.op} ${departure.node} (${departure.cosine.toFixed(3)}${isMisscaled(departure) ? `, ${departure.gain.toFixed(2)} times the size` : ""})`;
  return `${operation}: ${path}: output ${name}: cosine similarity to ${likeness}: expected ${minCosine} or more, ${got}; ${where}${departure === undefined ? "; " : ": "}${advice(departure)}; ${outcome}`;
}
