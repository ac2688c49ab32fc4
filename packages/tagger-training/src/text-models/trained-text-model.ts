import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { familyTensors, textModelConfig } from "@nasty/taggers/encoders";
import { paddedTokenizerConfig } from "@nasty/taggers/node";
import type { TextInputSettings, TextSettings } from "@nasty/taggers/texts";
import { simulateQuantization } from "@nasty/training";
import type { OpenBase } from "../fine-tuning/base-model.js";
import { withoutDropout } from "../fine-tuning/classification-head.js";
import type { ClassifierTraining } from "../fine-tuning/train-classifier.js";
import { withRecord } from "../quantization-aware/quantization-aware.js";

/** A trained model of whole texts with everything that a Hugging Face directory holds. */
export interface TrainedTextModel extends ClassifierTraining {
  /** Without Dropout nodes: output `logits` [batch, labels], or `last_hidden_state` [batch, sequence, width]. */
  readonly model: ModelProto;
  readonly settings: TextSettings;
  /** Of the encoder's hidden states. */
  readonly width: number;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** Contents of `model.safetensors`; undefined for a graph whose weights do not have a known family's names. */
  readonly tensors: ReadonlyMap<string, Tensor> | undefined;
}

/** What turns texts into the inputs of a base. */
export function inputSettingsOf({ settings }: OpenBase): TextInputSettings {
  const { tokenizer, maxPositions, positionOffset, vocabularySize, huggingFace } = settings;
  return { tokenizer, maxPositions, positionOffset, vocabularySize, huggingFace };
}

/** The trained model with its files: weights named as its family has them, class and labels in config.json. */
export function finishedTextModel(
  base: OpenBase,
  settings: TextSettings,
  result: ClassifierTraining,
): TrainedTextModel {
  const labels = settings.kind === "sequence-classification" ? settings.labels : undefined;
  const config = textModelConfig(base.config, labels);
  const model = withRecord(withoutDropout(result.model), result.qat);
  return {
    ...result,
    model,
    settings,
    width: base.width,
    config,
    tokenizerJson: base.tokenizerJson,
    tokenizerConfig: paddedTokenizerConfig(base.tokenizerConfig, base.settings),
    tensors: familyTensors(config, model),
  };
}

/** What the weights compute: rounded, where training simulated that. */
export const simulated = ({ model, qat }: ClassifierTraining): ModelProto =>
  qat?.fakeQuantize === true ? simulateQuantization(model, qat) : model;
