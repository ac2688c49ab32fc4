import type { CalibrationBatch } from "@nasty/calibration";
import {
  type Departure,
  firstDeparture,
  madeFeeds,
  measureDrift,
  type OutputDrift,
  pairUnits,
  prepareModel,
  type Reference,
  referenceOf,
} from "@nasty/compression";
import { readModelFile } from "@nasty/formats/onnx/node";
import { RuntimeError } from "@nasty/runtime";
import { spread } from "../comparison/spread.js";
import { GateError } from "../exit-codes.js";
import type { LoadedModel } from "../inputs/load-model.js";
import { encodedBatches } from "./calibration-batches.js";
import { modeOf, type QuantizeSettings } from "./settings.js";
import type { Words } from "./trial-text.js";

/** How far the written file's outputs are from the original's, as JSON has it. */
export interface DriftCheck {
  /** What the two were run on: sentences of the given text, inputs made from the graph's own types, or nothing that the original accepts. */
  readonly inputs: "text" | "made" | "none";
  /** Outputs less alike are refused. */
  readonly minCosine: number;
  readonly outputs: readonly OutputDrift[];
}

/** Below this an output has nothing to do with the original's any more; 4 bits are coarser. */
const leastCosine = { int8: 0.9, int4: 0.8 } as const;

const textSentences = 8;
/** Sizes of varying dimensions to try. */
const madeLengths = [8, 512, 4096];

/** What the written file will be run on, and what it is compared with: kept while the float model itself is not. */
export interface DriftInputs {
  readonly kind: "text" | "made";
  readonly path: string;
  readonly modelPath: string;
  /** The original runs the first of these that it accepts. */
  readonly candidates: readonly (readonly CalibrationBatch[])[];
}

/** Sentences of the text where there is some and a tokenizer to encode it, otherwise inputs made from the graph's own types and tables. */
export async function driftInputs(
  loaded: LoadedModel,
  text: Words,
  settings: { readonly threads: number },
): Promise<DriftInputs> {
  const { path, modelPath, model, tagger } = loaded;
  if (text.length > 0 && tagger !== undefined) {
    const batches = await encodedBatches(loaded, spread(text, textSentences), settings);
    return { kind: "text", path, modelPath, candidates: [batches] };
  }
  const candidates = madeLengths.flatMap((length) => {
    const feeds = madeFeeds(model, { length });
    return feeds === undefined ? [] : [[{ feeds }]];
  });
  return { kind: "made", path, modelPath, candidates };
}

/**
 * Runs the written file beside its original, without any label.
 *
 * @param written the file, under the name that it has for now
 * @param isJudged whether a gate has judged the file by its labels: then it is measured only
 * @throws GateError for an output that is not finite or less alike than it may be, naming the first node that departs
 */
export async function checkDrift(
  { kind, path, modelPath, candidates }: DriftInputs,
  written: string,
  { settings, isJudged }: { readonly settings: QuantizeSettings; readonly isJudged: boolean },
): Promise<DriftCheck> {
  const session = { threads: settings.threads };
  const isCoarse = ["int4", "mixed"].includes(modeOf(settings));
  const minCosine = settings.minCosine ?? (isCoarse ? leastCosine.int4 : leastCosine.int8);
  const reference = await floatReference(modelPath, candidates, session);
  if (reference === undefined) return { inputs: "none", minCosine, outputs: [] };
  const outputs = await measureDrift(reference, written, { session });
  const worst = outputs.find(({ cosine, finite }) => !finite || cosine < minCosine);
  if (worst === undefined || isJudged) return { inputs: kind, minCosine, outputs };
  const departure = await departureOf(modelPath, written, { reference, minCosine, session });
  throw new GateError(refusal(path, worst, { minCosine, departure }));
}

/** The original's own outputs, or those of the float32 form of one that the runtime has no kernels for (bfloat16). */
async function floatReference(
  modelPath: string,
  candidates: DriftInputs["candidates"],
  session: { readonly threads: number },
): Promise<Reference | undefined> {
  try {
    return await referenceOf(modelPath, candidates, { session });
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const { model, changes } = prepareModel(await readModelFile(modelPath));
    if (changes.length === 0) throw error;
    return referenceOf(model, candidates, { session });
  }
}

interface Departing {
  readonly reference: Reference;
  readonly minCosine: number;
  readonly session: { readonly threads: number };
}

/** Where the values of the two graphs part; units are in the order that quantizing put them into. */
async function departureOf(
  modelPath: string,
  path: string,
  { reference, minCosine, session }: Departing,
): Promise<Departure | undefined> {
  const [batch] = reference.batches;
  if (batch === undefined) return undefined;
  const [original, written] = [await readModelFile(modelPath), await readModelFile(path)];
  const plain = await firstDeparture(original, written, batch, { minCosine, session });
  if (plain === undefined) return undefined;
  const paired = await firstDeparture(pairUnits(original).model, written, batch, { minCosine, session });
  return paired ?? plain;
}

function refusal(
  path: string,
  { name, cosine, finite }: OutputDrift,
  { minCosine, departure }: { readonly minCosine: number; readonly departure: Departure | undefined },
): string {
  const got = finite ? `got ${cosine.toFixed(3)}` : "got values that are not finite";
  const where =
    departure === undefined
      ? "no inner value departs before it"
      : `values first depart at ${departure.op} ${departure.node} (${departure.cosine.toFixed(3)}): leave it in float with --skip-layers '${departure.node}'`;
  return `quantize: ${path}: output ${name}: cosine similarity to the original: expected ${minCosine} or more, ${got}; ${where}, try another mode, or lower --min-cosine if you mean it; nothing was written`;
}
