import { type CalibrationBatch, tapOutputs } from "@nasty/calibration";
import { type ModelSource, openSession, RuntimeError, type Session } from "@nasty/runtime";
import { likeness } from "./likeness.js";

/** How far an output of a written model is from that of its original. */
export interface OutputDrift {
  readonly name: string;
  /**
   * Σab / √(Σa²·Σb²) over all values of real positions; 1 if both are zero, 0 if one is or if a value is not finite.
   * What both have infinite (a masked score) is left out.
   */
  readonly cosine: number;
  /**
   * Σab / Σa²: how much larger the written model's values are than the original's, a, in the direction of those; 1 if
   * the original's are zero.
   */
  readonly gain: number;
  /** Whether all values of the written model are numbers, where the original's are. */
  readonly finite: boolean;
}

export interface DriftOptions {
  /** Folder of the original's external data, where it is not read from a path: see `weightsInFile`. */
  readonly weightsFolder?: string;
  /** Default 1. */
  readonly threads?: number;
}

// Packed weights pay when a model runs often; here it runs once.
export const once = { "session.disable_prepacking": "1" };
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
    const { cosine, gain } = likeness(values, changed);
    return { name, cosine: finite ? cosine : 0, gain, finite };
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
