import { tapOutputs, type CalibrationBatch } from "@nasty/calibration";
import type { Session } from "@nasty/runtime";

/** What a model says to each batch: numbers of its real positions, by the name of the output. */
export type Outputs = ReadonlyMap<string, readonly OutputValues[]>;

export interface OutputValues {
  readonly data: Float32Array;
  /** Size of the last axis, which holds scores where it holds classes. */
  readonly width: number;
}

/** How far an output of one run is from that of another. */
export interface OutputError {
  readonly name: string;
  /** Largest |a − b|; null where b is not finite and a is, or there is no b of that size. */
  readonly maxError: number | null;
  /** √(Σ(a − b)² / Σa²); null as {@link OutputError.maxError}. */
  readonly relativeError: number | null;
  /** Σab / √(Σa²·Σb²); 0 where a value is not finite. */
  readonly cosine: number;
  /**
   * Share of the vectors along the last axis whose largest element is the same one; null where that has one element.
   */
  readonly top1: number | null;
}

/** Runs an open model on all batches; integers and truth values count as the numbers that they are. */
export async function outputsOf(
  session: Session,
  batches: readonly CalibrationBatch[],
  signal: AbortSignal | undefined,
): Promise<Outputs> {
  const outputs = new Map<string, OutputValues[]>();
  const options = { integers: true, ...(signal !== undefined && { signal }) };
  await tapOutputs(
    session,
    batches,
    (value) => {
      const values = outputs.get(value.name) ?? [];
      values.push({ data: value.real().slice(), width: value.shape.at(-1) ?? 1 });
      outputs.set(value.name, values);
    },
    options,
  );
  return outputs;
}

/** The errors of every output of the first run; a model with one output may name it otherwise. */
export function outputErrors(a: Outputs, b: Outputs): readonly OutputError[] {
  const only = a.size === 1 && b.size === 1 ? [...b.values()][0] : undefined;
  return [...a].map(([name, values]) => ({ name, ...errorOf(values, b.get(name) ?? only ?? []) }));
}

/** The batch on which an output departs most. */
export function worstBatch(a: Outputs, b: Outputs, name: string): number {
  const [left, right] = [a.get(name) ?? [], b.get(name) ?? []];
  const errors = left.map((values, i) => sizeOf(errorOf([values], right.slice(i, i + 1)).relativeError));
  return errors.indexOf(Math.max(...errors));
}

/** An error as a number that can be compared: what is not finite is larger than all others. */
export const sizeOf = (error: number | null): number => error ?? Number.POSITIVE_INFINITY;

/** {@link OutputError} of values that are not finite, or not there. */
const beyond = { maxError: null, relativeError: null, cosine: 0, top1: null } as const;

export function errorOf(a: readonly OutputValues[], b: readonly OutputValues[]): Omit<OutputError, "name"> {
  let [dot, a2, b2, noise, largest, vectors, same] = [0, 0, 0, 0, 0, 0, 0];
  for (const [i, { data: left, width }] of a.entries()) {
    const right = b[i]?.data;
    if (right?.length !== left.length) return beyond;
    for (let j = 0; j < left.length; j++) {
      const [x, y] = [left[j] as number, right[j] as number];
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        // What both have infinite (a masked score), or both have not, is the same.
        if (Object.is(x, y)) continue;
        return beyond;
      }
      dot += x * y;
      a2 += x * x;
      b2 += y * y;
      noise += (x - y) ** 2;
      largest = Math.max(largest, Math.abs(x - y));
    }
    if (width < 2) continue;
    for (let at = 0; at + width <= left.length; at += width) {
      vectors += 1;
      if (largestAt(left, at, width) === largestAt(right, at, width)) same += 1;
    }
  }
  const relative = noise === 0 ? 0 : Math.sqrt(noise / a2);
  return {
    maxError: largest,
    relativeError: Number.isFinite(relative) ? relative : null,
    cosine: a2 === 0 && b2 === 0 ? 1 : a2 === 0 || b2 === 0 ? 0 : dot / Math.sqrt(a2 * b2),
    top1: vectors === 0 ? null : same / vectors,
  };
}

/** Index of the largest of the `width` values from `at` on. */
export function largestAt(values: Float32Array, at: number, width: number): number {
  let best = 0;
  for (let i = 1; i < width; i++) {
    if ((values[at + i] as number) > (values[at + best] as number)) best = i;
  }
  return best;
}
