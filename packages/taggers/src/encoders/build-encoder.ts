import type { Tensor } from "@nasty/core";
import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { ModelGraph, transposeTensor } from "@nasty/graph";
import { type EncoderConfig, parseEncoderConfig } from "./encoder-config.js";
import { type EncoderPart, encoderWriter } from "./encoder-writer.js";
import { TaggerError } from "../tagger-error.js";
import { writeLayer } from "./encoder-layer.js";
import { sequenceHeadOf } from "./families.js";
import { readEncoderCheckpoint } from "./read-checkpoint.js";
import { findSequenceHead, type SequenceHeadPlan, writeSequenceHead } from "./sequence-head.js";

export interface BuildEncoderOptions {
  /**
   * `classifier`: the checkpoint's token classifier, output `logits` [batch, sequence, labels], where it has one;
   * `sequence`: its classifier of whole texts, output `logits` [batch, labels]; `none`: output `last_hidden_state`
   * [batch, sequence, hidden]. Default `classifier`.
   */
  readonly head?: "classifier" | "sequence" | "none";
  /** Dropout nodes where the family trains with them, at the ratios of config.json. Default false. */
  readonly dropout?: boolean;
  /** Give a bare encoder's initializers the family's prefix (`bert.`, …), as a task model's have. Default false. */
  readonly prefixed?: boolean;
}

/** Output with a vector for each subword: float32 [batch, sequence, hidden]. */
export const hiddenOutput = "last_hidden_state";

/**
 * Added to the scores of padding before the softmax, where its share underflows to exactly 0. The value of BERT's own
 * code; the largest negative float32 would also blow up ranges that are measured on padded batches.
 */
const maskedScore = -10_000;

/**
 * Builds the graph of a BERT, RoBERTa, DistilBERT or ELECTRA encoder from its checkpoint.
 *
 * Initializers are named as in the checkpoint; weights of linear layers are held as [inputs, outputs], so that y =
 * x·W + b is one MatMul ({@link checkpointTensors} turns them back). Inputs are int64 [batch, sequence]: `input_ids`,
 * `attention_mask` and, for BERT and ELECTRA, `token_type_ids`; batch and sequence are dynamic. Operator set 20.
 *
 * @param config the parsed `config.json`
 * @param tensors the checkpoint, as `parseSafetensors` reads it
 * @throws TaggerError `config` (naming the key), `checkpoint` (naming the tensor: missing, mis-shaped, of another
 *   family; no head of the kind `sequence`).
 * @see J. Devlin et al., "BERT" (2019); Y. Liu et al., "RoBERTa" (2019); V. Sanh et al., "DistilBERT" (2019); K. Clark
 *   et al., "ELECTRA" (2020); as in Hugging Face transformers 4 and 5
 * @example
 * ```ts
 * const model = buildEncoder(JSON.parse(configText), parseSafetensors(bytes));
 * ```
 */
export function buildEncoder(
  config: unknown,
  tensors: ReadonlyMap<string, Tensor>,
  { head = "classifier", dropout = false, prefixed = false }: BuildEncoderOptions = {},
): ModelProto {
  const parsed = parseEncoderConfig(config);
  const settings: EncoderConfig = dropout
    ? parsed
    : { ...parsed, dropout: 0, attentionDropout: 0, classifierDropout: 0, sequenceDropout: 0 };
  const checkpoint = readEncoderCheckpoint(tensors, settings);
  const prefix = prefixed ? settings.family.prefix : checkpoint.prefix;
  const batch = ["batch", "sequence"] as const;
  const model = ModelGraph.empty(settings.family.name, { opsets: { "": 20 }, irVersion: 9 });
  const inputs = ["input_ids", "attention_mask", ...(takesTypes(settings) ? ["token_type_ids"] : [])];
  for (const name of inputs) model.main.addInput(makeValueInfo(name, "int64", batch));
  const writer = encoderWriter(model.main);
  for (const { name, value, linear } of checkpoint.tensors.values())
    writer.weight(prefix + name, linear ? transposeTensor(value, [1, 0]) : value);

  const part: EncoderPart = { writer, settings, prefix };
  const mask = writeMask(part);
  let hidden = writeEmbeddings(part);
  for (let i = 0; i < settings.layers; i++) hidden = writeLayer(part, { index: i, hidden, mask });

  if (head === "sequence") {
    const plan = sequencePlan(tensors, settings);
    const labels = plan.weights.output.bias.data.length;
    model.main.addOutput(
      makeValueInfo(writeSequenceHead(writer, hidden, plan), "float32", ["batch", labels]),
    );
    return model.toModel();
  }
  const classifier = head === "classifier" ? checkpoint.classifier : undefined;
  const output =
    classifier === undefined
      ? { name: hiddenOutput, width: settings.hidden }
      : { name: "logits", width: classifier.bias.shape[0] as number };
  if (classifier === undefined) {
    writer.named(hiddenOutput, "Identity", [hidden]);
  } else {
    writer.weight("classifier.weight", transposeTensor(classifier.weight, [1, 0]));
    writer.weight("classifier.bias", classifier.bias);
    const dropped = writer.dropout(hidden, settings.classifierDropout, "classifier/dropout");
    writer.named("classifier/product", "MatMul", [dropped, "classifier.weight"]);
    writer.named("logits", "Add", ["classifier/product", "classifier.bias"]);
  }
  model.main.addOutput(makeValueInfo(output.name, "float32", [...batch, output.width]));
  return model.toModel();
}

/** @throws TaggerError `checkpoint` for a layer that is not there. */
function sequencePlan(
  tensors: ReadonlyMap<string, Tensor>,
  { family, hidden: width, sequenceDropout: dropout }: EncoderConfig,
): SequenceHeadPlan {
  const [modelType = ""] = Object.keys(family.classes);
  const names = sequenceHeadOf(modelType);
  const { dense, output } = findSequenceHead(tensors, names, { prefix: family.prefix, width });
  if (dense !== undefined && output !== undefined) return { names, weights: { dense, output }, dropout };
  const name = `${dense === undefined ? names.dense : names.output}.weight`;
  throw new TaggerError(
    "checkpoint",
    `buildEncoder: tensor ${JSON.stringify(name)}: expected a tensor [${dense === undefined ? width : "labels"}, ${width}], got none of that name and shape`,
    { name },
  );
}

/** RoBERTa has a type table but one type: its tokenizer gives no type ids. */
const takesTypes = ({ types, family }: EncoderConfig): boolean => types > 0 && !family.positionsBehindPadding;

/** (1 − attention_mask)·maskedScore as [batch, 1, 1, sequence]. */
function writeMask({ writer }: EncoderPart): string {
  const spread = writer.named("mask/spread", "Unsqueeze", ["attention_mask", writer.ints([1, 2])]);
  const kept = writer.named("mask/kept", "Cast", [spread], { to: 1 });
  const padding = writer.named("mask/padding", "Sub", [writer.float(1), kept]);
  return writer.named("mask/scores", "Mul", [padding, writer.float(maskedScore)]);
}

function writeEmbeddings(part: EncoderPart): string {
  const { writer, settings, prefix } = part;
  const { named } = writer;
  const table = (name: string): string => `${prefix}embeddings.${name}.weight`;
  let sum = named("embeddings/words", "Gather", [table("word_embeddings"), "input_ids"]);
  if (settings.types > 0) {
    const ids = takesTypes(settings) ? "token_type_ids" : writer.ints(0);
    sum = named("embeddings/typed", "Add", [
      sum,
      named("embeddings/types", "Gather", [table("token_type_embeddings"), ids]),
    ]);
  }
  const positions = named("embeddings/positions", "Gather", [
    table("position_embeddings"),
    writePositions(part),
  ]);
  sum = named("embeddings/sum", "Add", [sum, positions]);
  const name = `${prefix}embeddings.LayerNorm`;
  const normal = named("embeddings/normal", "LayerNormalization", [sum, `${name}.weight`, `${name}.bias`], {
    axis: -1,
    epsilon: { kind: "float", value: settings.epsilon },
  });
  const dropped = writer.dropout(normal, settings.dropout, "embeddings/dropout");
  if (settings.embedding === settings.hidden) return dropped;
  const product = named("embeddings/product", "MatMul", [dropped, `${prefix}embeddings_project.weight`]);
  return named("embeddings/projected", "Add", [product, `${prefix}embeddings_project.bias`]);
}

/**
 * 0, 1, 2, … [sequence]; in RoBERTa padId + 1, padId + 2, … over the tokens that are not padding, which all have padId.
 */
function writePositions({ writer, settings }: EncoderPart): string {
  const { named } = writer;
  if (!settings.family.positionsBehindPadding) {
    const length = named("positions/length", "Gather", [
      named("positions/shape", "Shape", ["input_ids"]),
      writer.ints(1),
    ]);
    return named("positions/range", "Range", [writer.ints(0), length, writer.ints(1)]);
  }
  const padId = writer.ints(settings.padId);
  const isPadding = named("positions/padding", "Equal", ["input_ids", padId]);
  const isReal = named("positions/real", "Cast", [named("positions/not_padding", "Not", [isPadding])], {
    to: 7,
  });
  const count = named("positions/count", "CumSum", [isReal, writer.ints(1)]);
  return named("positions/placed", "Add", [named("positions/counted", "Mul", [count, isReal]), padId]);
}
