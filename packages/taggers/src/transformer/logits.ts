import type { Tensor } from "@nasty/core";
import type { Session } from "@nasty/runtime";
import { TaggerError } from "../tagger-error.js";

/**
 * Finds the output that holds a score for each label: the one called `logits`, else the first float output whose shape
 * in a trial run is [rows, length, labels].
 *
 * @param outputs what the trial run gave.
 * @param shape [rows, length] of the trial's feeds.
 * @throws TaggerError `model-outputs` if there is none, or `logits` has another number of labels than there are names.
 */
export function logitsOutput(
  session: Session,
  outputs: Readonly<Record<string, Tensor>>,
  shape: readonly number[],
  labels: number,
): string {
  const wanted = [...shape, labels];
  const candidates = session.outputs.filter(({ name }) => {
    const found = outputs[name];
    return (
      found !== undefined &&
      (found.dtype === "float32" || found.dtype === "float16") &&
      found.shape.length === 3 &&
      found.shape.every((size, i) => size === wanted[i])
    );
  });
  const chosen = candidates.find(({ name }) => name === "logits") ?? candidates[0];
  if (chosen !== undefined) return chosen.name;
  const got = Object.entries(outputs).map(
    ([name, { dtype, shape: s }]) => `${name} ${dtype} [${s.join(", ")}]`,
  );
  throw new TaggerError(
    "model-outputs",
    `openTagger: model: outputs: expected float32 or float16 [${wanted.join(", ")}] (rows, length, ${labels} labels), got ${got.join(", ")}`,
  );
}

/**
 * Index of the largest of `count` numbers from `start` on; the first of equals.
 *
 * @throws TaggerError `output` if the largest is NaN (a model that computes NaN must not look like one that tags).
 */
export function argmax(data: Float32Array, start: number, count: number): number {
  let best = 0;
  let bestValue = data[start] as number;
  for (let i = 1; i < count; i++) {
    const value = data[start + i] as number;
    if (value > bestValue) {
      best = i;
      bestValue = value;
    }
  }
  if (Number.isNaN(bestValue)) {
    throw new TaggerError("output", "tag: model: logits: expected numbers, got NaN");
  }
  return best;
}
