import type { Pooling } from "@nasty/formats/hf";

/** Numbers of a pooled vector. */
export const poolingWidth = (pooling: readonly Pooling[], width: number): number => pooling.length * width;

/**
 * One vector of a text from those of its positions.
 *
 * `cls` is the first real position, `last` the last, `mean` Σx/n, `mean-sqrt` Σx/√n, `weighted-mean` Σ(i·x)/Σi with
 * real positions counted from 1, `max` the largest of each number. Of a text without a real position all are 0.
 *
 * @param values [positions, width]
 * @param real not 0 where a position is real, one a position
 * @param out [poolings × width], written
 */
export function pooled(
  values: Float32Array,
  real: Uint8Array,
  pooling: readonly Pooling[],
  out: Float32Array,
): void {
  const width = out.length / pooling.length;
  pooling.forEach((mode, i) => pool(values, real, mode, out.subarray(i * width, (i + 1) * width)));
}

function pool(values: Float32Array, real: Uint8Array, mode: Pooling, out: Float32Array): void {
  const width = out.length;
  const first = real.findIndex((one) => one !== 0);
  out.fill(0);
  if (first < 0) return;
  if (mode === "cls" || mode === "last") {
    const at = mode === "cls" ? first : real.findLastIndex((one) => one !== 0);
    out.set(values.subarray(at * width, (at + 1) * width));
    return;
  }
  if (mode === "max") out.fill(Number.NEGATIVE_INFINITY);
  let total = 0;
  let place = 0;
  for (let position = 0; position < real.length; position++) {
    if (real[position] === 0) continue;
    place += 1;
    const weight = mode === "weighted-mean" ? place : 1;
    total += weight;
    const start = position * width;
    for (let i = 0; i < width; i++) {
      const value = values[start + i] as number;
      out[i] = mode === "max" ? Math.max(out[i] as number, value) : (out[i] as number) + weight * value;
    }
  }
  if (mode === "max") return;
  const divisor = mode === "mean-sqrt" ? Math.sqrt(total) : total;
  for (let i = 0; i < width; i++) out[i] = (out[i] as number) / divisor;
}
