import { type CalibrationBatch, tapActivations, tapOutputs } from "@nasty/calibration";
import type { ModelProto } from "@nasty/formats/onnx";
import { inferShapes, ModelGraph } from "@nasty/graph";
import { type ModelSource, openSession, RuntimeError, type Session } from "@nasty/runtime";
import { openForCompression } from "../files/open-for-compression.js";
import { tappedAtOnce } from "./tapped-at-once.js";

/** How far an output of a written model is from that of its original. */
export interface OutputDrift {
  readonly name: string;
  /**
   * Σab / √(Σa²·Σb²) over all values of real positions; 1 if both are zero, 0 if one is or if a value is not finite.
   * What both have infinite (a masked score) is left out.
   */
  readonly cosine: number;
  /** Whether all values of the written model are numbers, where the original's are. */
  readonly finite: boolean;
}

/** A value in the middle of both graphs. */
export interface Departure {
  /** The node that makes it: its name, or the value's. */
  readonly node: string;
  readonly op: string;
  readonly value: string;
  readonly cosine: number;
}

export interface DriftOptions {
  /** Folder of the original's external data, where it is not read from a path: see `weightsInFile`. */
  readonly weightsFolder?: string;
  /** Default 1. */
  readonly threads?: number;
}

// Packed weights pay when a model runs often; here it runs once.
const once = { "session.disable_prepacking": "1" };
const externalWeightsFolder = "session.model_external_initializers_file_folder_path";

/** What a float model says to some inputs. */
export interface Reference {
  readonly batches: readonly CalibrationBatch[];
  /** Float outputs by name, one array a batch. */
  readonly outputs: ReadonlyMap<string, readonly Float32Array[]>;
}

/**
 * Runs a float model on the first inputs that it accepts: some graphs take no short sequences (windows of audio),
 * others no long ones (positions).
 *
 * @param original path, bytes or parsed model
 * @param candidates lists of batches, with a mask of real positions where there is padding
 * @returns undefined if it accepts none of them, or makes no number of any
 * @throws RuntimeError if it cannot be opened
 */
export async function referenceOf(
  original: ModelSource,
  candidates: readonly (readonly CalibrationBatch[])[],
  { threads = 1, weightsFolder }: DriftOptions = {},
): Promise<Reference | undefined> {
  const config: Record<string, string> = { ...once };
  if (weightsFolder !== undefined) config[externalWeightsFolder] = weightsFolder;
  const session = await openSession(original, { threads, optimization: "basic", config });
  try {
    return await sessionReference(session, candidates);
  } finally {
    await session.close();
  }
}

/** {@link referenceOf} of a model that is open already; it stays open. */
export async function sessionReference(
  session: Session,
  candidates: readonly (readonly CalibrationBatch[])[],
): Promise<Reference | undefined> {
  for (const batches of candidates) {
    try {
      const outputs = await run(session, batches);
      if (saysSomething(outputs)) return { batches, outputs };
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
    }
  }
  return undefined;
}

/**
 * Runs a written model on the same inputs and measures how alike its float outputs are.
 *
 * @throws RuntimeError if it cannot be opened or run: it is no model then
 * @example
 * const reference = await referenceOf("model.onnx", [[{ feeds: madeFeeds(model) }]]);
 * const [{ cosine }] = await measureDrift(reference, "model_int8.onnx");
 */
export async function measureDrift(
  reference: Reference,
  written: ModelSource,
  { threads = 1 }: DriftOptions = {},
): Promise<readonly OutputDrift[]> {
  const session = await openSession(written, { threads });
  try {
    return await sessionDrift(reference, session);
  } finally {
    await session.close();
  }
}

/**
 * {@link measureDrift} of a model that is open already; it stays open.
 *
 * A model with one float output may name it otherwise than the original did.
 *
 * @throws RuntimeError if it cannot be run
 */
export async function sessionDrift(
  { batches, outputs: before }: Reference,
  session: Session,
): Promise<readonly OutputDrift[]> {
  const after = await run(session, batches);
  const only = before.size === 1 && after.size === 1 ? [...after.values()][0] : undefined;
  return [...before].map(([name, values]) => {
    const changed = after.get(name) ?? only ?? [];
    const finite = values.every((rows, i) => isFiniteLike(rows, changed[i]));
    return { name, cosine: finite ? cosineOf(values, changed) : 0, finite };
  });
}

/** Whether there are as many values, and numbers wherever the original has some. */
function isFiniteLike(rows: Float32Array, changed: Float32Array | undefined): boolean {
  if (changed?.length !== rows.length) return false;
  for (let i = 0; i < rows.length; i++) {
    if (!Number.isFinite(changed[i]) && Number.isFinite(rows[i])) return false;
  }
  return true;
}

/** Whether any value is a number; a model without float outputs has nothing that could drift. */
function saysSomething(outputs: ReadonlyMap<string, readonly Float32Array[]>): boolean {
  if (outputs.size === 0) return true;
  return [...outputs.values()].some((batches) => batches.some((rows) => rows.some(Number.isFinite)));
}

/** Float outputs of every batch, one after the other. */
async function run(
  session: Session,
  batches: readonly CalibrationBatch[],
): Promise<Map<string, Float32Array[]>> {
  const outputs = new Map<string, Float32Array[]>();
  await tapOutputs(session, batches, (value) => {
    outputs.set(value.name, [...(outputs.get(value.name) ?? []), value.real().slice()]);
  });
  return outputs;
}

function cosineOf(before: readonly Float32Array[], after: readonly Float32Array[]): number {
  let [dot, a2, b2] = [0, 0, 0];
  for (const [i, values] of before.entries()) {
    const others = after[i] ?? new Float32Array();
    for (let j = 0; j < values.length; j++) {
      const [a, b] = [values[j] as number, others[j] ?? 0];
      if (!Number.isFinite(a) || !Number.isFinite(b)) {
        // What both have infinite (a masked score), or both have not, says nothing.
        if (Object.is(a, b)) continue;
        return 0;
      }
      dot += a * b;
      a2 += a * a;
      b2 += b * b;
    }
  }
  if (a2 === 0 && b2 === 0) return 1;
  return a2 === 0 || b2 === 0 ? 0 : dot / Math.sqrt(a2 * b2);
}

/**
 * The first node, in the order of the original graph, whose value is less alike than it may be.
 *
 * Looks at the values that both graphs have under one name, on one batch, a few at a time.
 *
 * @returns undefined if no inner value is, or if the models cannot be tapped
 */
export async function firstDeparture(
  original: ModelProto,
  written: ModelProto,
  batch: CalibrationBatch,
  { minCosine, threads = 1 }: DriftOptions & { readonly minCosine: number },
): Promise<Departure | undefined> {
  const [before, after] = [openForCompression(original), ModelGraph.from(written)];
  const [types, writtenTypes] = [inferShapes(before), inferShapes(after)];
  // Of operators beyond the standard inference knows no types.
  const isShared = (value: string): boolean =>
    types.typeOf(before.main, value)?.dtype === "float32" &&
    after.main.defines(value) &&
    (writtenTypes.typeOf(after.main, value)?.dtype ?? "float32") === "float32";
  const shared = before.main.nodes.flatMap((node) =>
    node.output.filter(isShared).map((value) => ({ node, value })),
  );
  for (let at = 0; at < shared.length; at += tappedAtOnce) {
    const some = shared.slice(at, at + tappedAtOnce);
    const names = some.map(({ value }) => value);
    const a = await tapped(before, names, batch, threads);
    const b = await tapped(after, names, batch, threads);
    for (const { node, value } of some) {
      const [left, right] = [a?.get(value), b?.get(value)];
      if (left === undefined || right === undefined) continue;
      const cosine = cosineOf(left, right);
      if (cosine < minCosine) return { node: node.name || value, op: node.opType, value, cosine };
    }
  }
  return undefined;
}

/** All named values of the main graph; undefined where the runtime cannot give them. */
async function tapped(
  graph: ModelGraph,
  names: readonly string[],
  batch: CalibrationBatch,
  threads: number,
): Promise<Map<string, Float32Array[]> | undefined> {
  const values = new Map<string, Float32Array[]>();
  const session = { optimization: "none", config: once } as const;
  try {
    await tapActivations(
      graph.toModel(),
      names,
      [batch],
      (value) => void values.set(value.name, [value.real().slice()]),
      { threads, session, constants: true },
    );
    return values;
  } catch (error) {
    if (error instanceof RuntimeError) return undefined;
    throw error;
  }
}
