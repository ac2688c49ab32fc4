import type { Tensor } from "@nasty/core";
import type { CrossEntropyLoss, KullbackLeiblerLoss, Loss, MeanSquaredErrorLoss } from "@nasty/training";
import type { TensorFlow, TfScalar, TfTensor } from "../tensorflow.js";
import { toTf } from "../values.js";
import { chainLoss } from "./chain.js";
import type { LossInputs } from "./loss-inputs.js";

/** The value of a loss, not weighted. */
export function lossValue(inputs: LossInputs, loss: Loss): TfScalar {
  switch (loss.kind) {
    case "cross-entropy":
      return crossEntropy(inputs, loss);
    case "kl":
      return kullbackLeibler(inputs, loss);
    case "mse":
      return meanSquaredError(inputs, loss);
    case "crf":
    case "soft-crf":
      return chainLoss(inputs, loss);
    default: {
      const unreachable: never = loss;
      throw new TypeError(`lossValue: ${JSON.stringify(unreachable)}`);
    }
  }
}

/** Names of the inputs that losses add to those of the model. */
export function inputsOfLosses(losses: readonly Loss[]): readonly string[] {
  const withMask = (name: string, mask: string | undefined): string[] =>
    mask === undefined ? [name] : [name, mask];
  return losses.flatMap((loss) => {
    switch (loss.kind) {
      case "cross-entropy":
      case "crf":
        return [loss.labels];
      case "soft-crf":
        return [loss.targets, loss.pairs];
      case "kl":
        return withMask(loss.teacher, loss.mask);
      case "mse":
        return withMask(loss.target, loss.mask);
      default: {
        const unreachable: never = loss;
        throw new TypeError(`inputsOfLosses: ${JSON.stringify(unreachable)}`);
      }
    }
  });
}

/** Logits as rows [N, C]. */
function rowsOf(tf: TensorFlow, logits: TfTensor): TfTensor {
  return tf.reshape(logits, [-1, logits.shape.at(-1) as number]);
}

function crossEntropy({ tf, tensor, fed }: LossInputs, loss: CrossEntropyLoss): TfScalar {
  const { ignoreIndex = -100, labelSmoothing = 0, classWeights } = loss;
  const logits = rowsOf(tf, tensor(loss.logits));
  const classes = logits.shape[1] as number;
  const labels = Array.from(fed(loss.labels).data as BigInt64Array, Number);
  const target = new Float32Array(labels.length * classes);
  let total = 0;
  for (const [row, label] of labels.entries()) {
    if (label === ignoreIndex) continue;
    total += classWeights?.[label] ?? 1;
    for (let k = 0; k < classes; k++) {
      const share = labelSmoothing / classes + (k === label ? 1 - labelSmoothing : 0);
      target[row * classes + k] = share * (classWeights?.[k] ?? 1);
    }
  }
  const targets = tf.tensor2d(target, [labels.length, classes]);
  const sum = tf.sum(tf.mul(targets, tf.logSoftmax(logits)));
  return tf.neg(tf.div(sum, Math.max(total, 1e-30)));
}

function kullbackLeibler({ tf, tensor, fed }: LossInputs, loss: KullbackLeiblerLoss): TfScalar {
  const { temperature = 1 } = loss;
  const logits = rowsOf(tf, tensor(loss.logits));
  const teacher = rowsOf(tf, toTf(tf, fed(loss.teacher)));
  const logP = tf.logSoftmax(tf.div(logits, temperature));
  const logQ = tf.logSoftmax(tf.div(teacher, temperature));
  const each = tf.sum(tf.mul(tf.exp(logQ), tf.sub(logQ, logP)), 1);
  const { sum, count } = masked(tf, each, loss.mask === undefined ? undefined : fed(loss.mask));
  return tf.mul(tf.div(sum, count), temperature * temperature);
}

function meanSquaredError({ tf, tensor, fed }: LossInputs, loss: MeanSquaredErrorLoss): TfScalar {
  const prediction = rowsOf(tf, tensor(loss.prediction));
  const target = rowsOf(tf, toTf(tf, fed(loss.target)));
  const each = tf.sum(tf.square(tf.sub(prediction, target)), 1);
  const { sum, count } = masked(tf, each, loss.mask === undefined ? undefined : fed(loss.mask));
  return tf.div(sum, count * (prediction.shape[1] as number));
}

/** The sum over the rows that count, and how many do (at least a tiny number, so that none gives 0). */
function masked(
  tf: TensorFlow,
  each: TfTensor,
  mask: Tensor | undefined,
): { readonly sum: TfScalar; readonly count: number } {
  if (mask === undefined) return { sum: tf.sum(each), count: each.size };
  const weights = mask.data as Float32Array;
  const count = Math.max(
    weights.reduce((a, b) => a + b, 0),
    1e-30,
  );
  return { sum: tf.sum(tf.mul(each, tf.tensor1d(weights))), count };
}
