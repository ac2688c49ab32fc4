import type { ChainLoss, SoftChainLoss } from "@nasty/training";
import { unstacked } from "../operators/context.js";
import type { TensorFlow, TfScalar, TfTensor } from "../tensorflow.js";
import type { LossInputs } from "./loss-inputs.js";

/**
 * Negative log-likelihood of label sequences under a linear-chain conditional random field: (log Z − score) over the
 * batch, or what a teacher expects of it, by the forward recursion alone; the tape differentiates it.
 */
export function chainLoss({ tf, tensor, fed }: LossInputs, loss: ChainLoss | SoftChainLoss): TfScalar {
  const emissions = tensor(loss.emissions);
  const [batch = 0, steps = 0, classes = 0] = emissions.shape;
  const sizes = { batch, steps, classes };
  const counts =
    loss.kind === "crf"
      ? countsOfLabels(Array.from(fed(loss.labels).data as BigInt64Array, Number), sizes, loss.ignoreIndex)
      : countsOfTeacher(
          { targets: fed(loss.targets).data as Float32Array, pairs: fed(loss.pairs).data as Float32Array },
          sizes,
        );
  const { transitions, start, end } = {
    transitions: tensor(loss.transitions),
    start: tensor(loss.start),
    end: tensor(loss.end),
  };
  const at = unstacked(tf, tf.transpose(emissions, [1, 0, 2]));
  let alpha = tf.add(at[0] as TfTensor, start);
  for (let t = 1; t < steps; t++) {
    const mask = counts.mask(tf, t);
    const terms = tf.add(tf.expandDims(alpha, 2), transitions);
    const next = tf.add(tf.logSumExp(terms, 1), at[t] as TfTensor);
    alpha = mask === undefined ? next : tf.where(mask, next, alpha);
  }
  const present = tf.tensor1d(counts.present);
  const logZ = tf.sum(tf.mul(tf.logSumExp(tf.add(alpha, end), 1), present));
  const dot = (a: TfTensor, values: Float32Array): TfTensor => tf.sum(tf.mul(a, tf.tensor(values, a.shape)));
  const score = [
    dot(emissions, counts.emissions),
    dot(transitions, counts.transitions),
    dot(start, counts.start),
    dot(end, counts.end),
  ].reduce((a, b) => tf.add(a, b));
  return tf.div(tf.sub(logZ, score), batch);
}

interface Counts {
  /** 1 for sequences of at least one label. */
  readonly present: Float32Array;
  readonly emissions: Float32Array;
  readonly transitions: Float32Array;
  readonly start: Float32Array;
  readonly end: Float32Array;
  /** Which sequences have step t, as [B, C]; undefined if all have. */
  mask(tf: TensorFlow, t: number): TfTensor | undefined;
}

interface Sizes {
  readonly batch: number;
  readonly steps: number;
  readonly classes: number;
}

function countsOfLabels(
  labels: readonly number[],
  { batch, steps, classes }: Sizes,
  ignoreIndex = -100,
): Counts {
  const add = (array: Float32Array, i: number): void => {
    array[i] = (array[i] as number) + 1;
  };
  const counts = {
    present: new Float32Array(batch),
    emissions: new Float32Array(batch * steps * classes),
    transitions: new Float32Array(classes * classes),
    start: new Float32Array(classes),
    end: new Float32Array(classes),
  };
  const isCounted = (row: number, t: number): boolean => t < steps && labels[row * steps + t] !== ignoreIndex;
  for (let row = 0; row < batch; row++) {
    for (let t = 0; isCounted(row, t); t++) {
      const label = labels[row * steps + t] as number;
      add(counts.emissions, (row * steps + t) * classes + label);
      if (t === 0) {
        counts.present[row] = 1;
        add(counts.start, label);
      } else add(counts.transitions, (labels[row * steps + t - 1] as number) * classes + label);
      if (!isCounted(row, t + 1)) add(counts.end, label);
    }
  }
  return { ...counts, mask: maskOf({ batch, classes }, isCounted) };
}

/** What a teacher expects to count. */
function countsOfTeacher(
  { targets, pairs }: { readonly targets: Float32Array; readonly pairs: Float32Array },
  { batch, steps, classes }: Sizes,
): Counts {
  const rowOf = (row: number, t: number): Float32Array =>
    targets.subarray((row * steps + t) * classes, (row * steps + t + 1) * classes);
  const isCounted = (row: number, t: number): boolean =>
    t < steps && rowOf(row, t).some((value) => value > 0);
  const add = (sums: Float32Array, values: Float32Array): void =>
    values.forEach((value, i) => {
      sums[i] = (sums[i] as number) + value;
    });
  const present = new Float32Array(batch);
  const [start, end] = [new Float32Array(classes), new Float32Array(classes)];
  for (let row = 0; row < batch; row++) {
    for (let t = 0; isCounted(row, t); t++) {
      if (t === 0) {
        present[row] = 1;
        add(start, rowOf(row, t));
      }
      if (!isCounted(row, t + 1)) add(end, rowOf(row, t));
    }
  }
  const mask = maskOf({ batch, classes }, isCounted);
  return { present, emissions: targets, transitions: pairs, start, end, mask };
}

const maskOf =
  (
    { batch, classes }: Pick<Sizes, "batch" | "classes">,
    isCounted: (row: number, t: number) => boolean,
  ): Counts["mask"] =>
  (tf, t) => {
    const data = new Uint8Array(batch * classes);
    let all = true;
    for (let row = 0; row < batch; row++) {
      if (isCounted(row, t)) data.fill(1, row * classes, (row + 1) * classes);
      else all = false;
    }
    return all ? undefined : tf.tensor(data, [batch, classes], "bool");
  };
