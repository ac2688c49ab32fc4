import type { Tensor } from "@nasty/core";
import { CalibrationError } from "./calibration-error.js";

/** One batch to run: what the model is fed, and which positions of it are real tokens. */
export interface CalibrationBatch {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /**
   * [batch, length], not 0 where a real token is: usually the attention mask itself. A row without any real token is no
   * sample. Left out, axis 0 of the first feed is the batch and every position counts.
   */
  readonly mask?: Tensor;
}

/** Batches from memory or streamed, of any lengths. */
export type Batches = AsyncIterable<CalibrationBatch> | Iterable<CalibrationBatch>;

/** Which positions of a batch are real tokens. */
export interface TokenMask {
  readonly rows: number;
  readonly length: number;
  /** [rows, length], not 0 where a real token is; undefined where nobody said, and all are. */
  readonly real: Uint8Array | undefined;
}

/**
 * Reads the mask of a batch.
 *
 * @throws CalibrationError `mask-shape` for a mask that is not [batch, length], or of a batch that no input has
 */
export const readMask = ({ feeds, mask }: CalibrationBatch): TokenMask => {
  if (mask === undefined) {
    const [rows = 1, length = 0] = Object.values(feeds)[0]?.shape ?? [];
    return { rows, length, real: undefined };
  }
  const [rows, length] = mask.shape;
  if (mask.shape.length !== 2 || rows === undefined || length === undefined) {
    throw new CalibrationError(
      "mask-shape",
      `calibrate: mask: shape: expected [batch, length], got [${mask.shape.join(", ")}]`,
    );
  }
  // Some inputs may run over other things than the batch: the distinct words of it, say.
  const rowsFed = new Set(Object.values(feeds).map(({ shape }) => shape[0]));
  if (rowsFed.size > 0 && !rowsFed.has(rows)) {
    throw new CalibrationError(
      "mask-shape",
      `calibrate: mask: batch: expected ${[...rowsFed].join(" or ")}, got ${rows}`,
    );
  }
  const real = Uint8Array.from(mask.data as ArrayLike<number | bigint>, (value: number | bigint) =>
    Number(value) === 0 ? 0 : 1,
  );
  return { rows, length, real };
};

/** The mask of one row; undefined where all of its positions are real. */
export const paddingOf = ({ length, real }: TokenMask, row: number): Uint8Array | undefined => {
  const positions = real?.subarray(row * length, (row + 1) * length);
  return positions?.includes(0) === true ? positions : undefined;
};

/** Rows that are samples, at most `wanted` of them: those with a real token. */
export const samplesOf = (mask: TokenMask, wanted = Number.POSITIVE_INFINITY): number[] => {
  const rows: number[] = [];
  for (let row = 0; row < mask.rows && rows.length < wanted; row++) {
    const from = row * mask.length;
    if (mask.real?.subarray(from, from + mask.length).includes(1) !== false) rows.push(row);
  }
  return rows;
};

/**
 * Keeps batches (token ids, not activations) until they hold `limit` samples.
 *
 * @throws CalibrationError `mask-shape`
 */
export const takeBatches = async (batches: Batches, limit: number): Promise<CalibrationBatch[]> => {
  const kept: CalibrationBatch[] = [];
  let samples = 0;
  for await (const batch of batches) {
    kept.push(batch);
    samples += samplesOf(readMask(batch)).length;
    if (samples >= limit) break;
  }
  return kept;
};
