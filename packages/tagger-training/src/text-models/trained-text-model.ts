import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { familyTensors, textModelConfig } from "@nasty/taggers/encoders";
import { paddedTokenizerConfig } from "@nasty/taggers/node";
import { simulateQuantization } from "@nasty/training";
import type { OpenBase } from "../fine-tuning/base-model.js";
import { withoutDropout } from "../fine-tuning/classification-head.js";
import type { ClassifierTraining } from "../fine-tuning/train-classifier.js";
import { withRecord } from "../quantization-aware/quantization-aware.js";

/** What a model of whole texts gives: a score for each label, or a vector for each subword, which are averaged. */
export type TextModelKind =
  | { readonly kind: "classification"; readonly labels: readonly string[] }
  | { readonly kind: "embedding"; readonly width: number };

/** A trained model of whole texts with everything that a Hugging Face directory holds. */
export interface TrainedTextModel extends ClassifierTraining {
  /** Without Dropout nodes: output `logits` [batch, labels], or `last_hidden_state` [batch, sequence, width]. */
  readonly model: ModelProto;
  readonly gives: TextModelKind;
  readonly settings: OpenBase["settings"];
  readonly config: Readonly<Record<string, unknown>>;
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** Contents of `model.safetensors`; undefined for a graph whose weights do not have a known family's names. */
  readonly tensors: ReadonlyMap<string, Tensor> | undefined;
}

/** The trained model with its files: weights named as its family has them, class and labels in config.json. */
export function finishedTextModel(
  base: OpenBase,
  gives: TextModelKind,
  result: ClassifierTraining,
): TrainedTextModel {
  const config = textModelConfig(base.config, gives.kind === "classification" ? gives.labels : undefined);
  const model = withRecord(withoutDropout(result.model), result.qat);
  return {
    ...result,
    model,
    gives,
    settings: base.settings,
    config,
    tokenizerJson: base.tokenizerJson,
    tokenizerConfig: paddedTokenizerConfig(base.tokenizerConfig, base.settings),
    tensors: familyTensors(config, model),
  };
}

/** What the weights compute: rounded, where training simulated that. */
export const simulated = ({ model, qat }: ClassifierTraining): ModelProto =>
  qat?.fakeQuantize === true ? simulateQuantization(model, qat) : model;
