import { type DropoutSite, mixWords } from "@nasty/training";
import type { TensorFlow, TfTensor } from "./tensorflow.js";

/**
 * The mask of a Dropout node in one step: 1 / (1 − ratio) where an element is kept, else 0; element for element the one
 * that training graphs compute, so both engines drop the same.
 *
 * Row r and column c of the (unshared) shape are hashed to odd words A[r] and B[c]; the element is kept if A[r]·B[c]
 * mod 2^32, as a signed number, is below the threshold.
 */
export function dropoutMask(
  tf: TensorFlow,
  shape: readonly number[],
  { site, ratio, shared, seed }: Omit<DropoutSite, "node" | "rank"> & { readonly seed: number },
): TfTensor {
  const own = shape.map((size, axis) => (shared.includes(axis) ? 1 : size));
  const columns = own.at(-1) ?? 1;
  const count = own.reduce((a, b) => a * b, 1);
  const a = hashes(count / Math.max(1, columns), mixWords(site, 1), seed);
  const b = hashes(columns, mixWords(site, 2), seed);
  const threshold = Math.min(Math.round((1 - ratio) * 4294967296) - 2147483648, 2147483647);
  const mask = new Float32Array(count);
  const kept = 1 / (1 - ratio);
  for (let r = 0, i = 0; r < a.length; r++) {
    for (let c = 0; c < b.length; c++, i++)
      if (Math.imul(a[r] as number, b[c] as number) < threshold) mask[i] = kept;
  }
  return tf.tensor(mask, own);
}

/** Odd words, one for each of 0 … count − 1. */
function hashes(count: number, salt: number, seed: number): Int32Array {
  const shifted = (x: number, by: number): number => x ^ (x >>> by);
  const key = shifted(Math.imul(shifted((seed + salt) >>> 0, 16), 0x7feb352d), 15);
  const words = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    let x = Math.imul(i, 0x9e3779b9) ^ key;
    x = Math.imul(shifted(x, 16), 0x7feb352d);
    x = Math.imul(shifted(x, 15), 0x846ca68b);
    words[i] = shifted(x, 16) | 1;
  }
  return words;
}
