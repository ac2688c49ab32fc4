import type { DType } from "@nasty/core";
import type { Dimensions } from "../gradient/rule.js";
import type { GradientWriter } from "../gradient/gradient-writer.js";

interface LossFields {
  /** Name under which the value is reported; the kind unless given. */
  readonly name?: string;
  /** Factor of this loss in the total. Default 1. */
  readonly weight?: number;
}

/**
 * Masked cross-entropy of logits [..., C] and labels [...] (int64, fed under the name given): Σᵢ Σ_c −w_c·q_c·log p_c /
 * Σᵢ w_label, q = (1 − ε)·onehot(label) + ε/C, over elements whose label is not `ignoreIndex`.
 */
export interface CrossEntropyLoss extends LossFields {
  readonly kind: "cross-entropy";
  readonly logits: string;
  readonly labels: string;
  /** Default −100. */
  readonly ignoreIndex?: number;
  /** ε. Default 0. */
  readonly labelSmoothing?: number;
  /** w: one factor a class. Default 1 for all. */
  readonly classWeights?: readonly number[];
}

/**
 * Kullback–Leibler divergence from a teacher: T²·Σᵢ mᵢ·Σ_c q_c·(log q_c − log p_c) / Σᵢ mᵢ, p = softmax(logits/T),
 * q = softmax(teacher/T). The teacher's logits [..., C] and the mask [...] are fed under the names given.
 *
 * Source: G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network" (2015), section 2.
 */
export interface KullbackLeiblerLoss extends LossFields {
  readonly kind: "kl";
  readonly logits: string;
  readonly teacher: string;
  /** Name of a float32 input [...]: 1 counts, 0 does not. Everything counts unless given. */
  readonly mask?: string;
  /** T. Default 1. */
  readonly temperature?: number;
}

/** Mean squared error of a prediction [..., D] and a fed target of its shape, over rows whose mask [...] is 1. */
export interface MeanSquaredErrorLoss extends LossFields {
  readonly kind: "mse";
  readonly prediction: string;
  readonly target: string;
  readonly mask?: string;
}

/** Scores of label sequences: emissions [B, T, C]; transitions [C, C] (from, to), start [C] and end [C]. */
export interface ChainTensors {
  readonly emissions: string;
  readonly transitions: string;
  readonly start: string;
  readonly end: string;
}

/**
 * Negative log-likelihood of label sequences under a linear-chain conditional random field, per sequence:
 * (log Z − score) averaged over the batch. Labels [B, T] (int64) are fed, `ignoreIndex` marks padding, which must be at
 * the end.
 *
 * Source: J. Lafferty, A. McCallum and F. Pereira, "Conditional Random Fields" (2001).
 */
export interface ChainLoss extends LossFields, ChainTensors {
  readonly kind: "crf";
  readonly labels: string;
  readonly ignoreIndex?: number;
}

/**
 * What {@link ChainLoss} is on average over label sequences drawn from a teacher: log Z less the score that is
 * expected. Fed are the probabilities of each label of each word, `targets` float32 [B, T, C] (zeros are padding, which
 * must be at the end), and of each label behind each other one, `pairs` float32 [C, C] (from, to), summed over the
 * batch.
 *
 * Source: X. Wang et al., "Structural Knowledge Distillation: Tractably Distilling Information for Structured
 * Predictor" (2021), section 3.
 */
export interface SoftChainLoss extends LossFields, ChainTensors {
  readonly kind: "soft-crf";
  readonly targets: string;
  readonly pairs: string;
}

export type Loss = CrossEntropyLoss | KullbackLeiblerLoss | MeanSquaredErrorLoss | ChainLoss | SoftChainLoss;

/** What a loss may use of the graph under construction. */
export interface LossContext {
  readonly writer: GradientWriter;
  /** Dimensions of a tensor of the forward graph; an unknown tensor or rank is refused. */
  dimensions(name: string): Dimensions;
  /** Declares an input to be fed, once for all losses that share it. */
  input(name: string, dtype: DType, shape: Dimensions): string;
  /** Factor of the loss in the total. */
  readonly weight: number;
}

/** The value of a loss (a scalar, not weighted) and its weighted gradients. */
export interface LossNodes {
  readonly value: string;
  readonly gradients: readonly { readonly tensor: string; readonly gradient: string }[];
}

/** Tensors of the forward graph that a loss reads. */
export function tensorsOfLoss(loss: Loss): readonly string[] {
  switch (loss.kind) {
    case "cross-entropy":
    case "kl":
      return [loss.logits];
    case "mse":
      return [loss.prediction];
    case "crf":
    case "soft-crf":
      return [loss.emissions, loss.transitions, loss.start, loss.end];
    default: {
      const unreachable: never = loss;
      throw new TypeError(`tensorsOfLoss: ${JSON.stringify(unreachable)}`);
    }
  }
}
