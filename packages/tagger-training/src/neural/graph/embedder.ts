import { affixCount, embeddingsValue, type FeatureSettings, firstCharacter } from "@nasty/taggers/neural";
import { characterFilters, type CharacterSettings, type EmbeddingSettings } from "../architecture.js";
import type { LayerWriter } from "./layer-writer.js";

/** Embeddings of unit length on average, as vectors that are added to each other should have. */
const embeddingBound = (width: number, parts = 1): number => Math.sqrt(3 / width / parts);

/**
 * From the ids of U distinct words to their vectors [U, width].
 *
 * word row, sum of the affix rows, shape row, and for each filter max over the word of ReLU(convolution of the character rows). There
 * is no matrix product here, so dynamic quantization leaves a word's vector independent of the other words of the run.
 */
export function writeEmbedder(
  writer: LayerWriter,
  features: FeatureSettings,
  { join, word, affix, shape, characters }: EmbeddingSettings,
): string {
  const affixes = affixCount(features);
  const table = (name: string, rows: number, width: number, parts?: number): string =>
    writer.weight(`embedding.${name}`, [rows, width], { bound: embeddingBound(width, parts) });
  const words = writer.op(
    "Gather",
    [table("words", features.vocabulary.length + 1, word), "word_ids"],
    "embedding/words",
  );
  const affixRows = writer.op(
    "Gather",
    [table("affixes", features.affixRows, affix, affixes), "affix_ids"],
    "embedding/affix-rows",
  );
  const parts = [
    words,
    writer.op("ReduceSum", [affixRows, writer.ints("axis.1", [1])], "embedding/affixes", { keepdims: 0 }),
    writer.op("Gather", [table("shapes", features.shapeRows, shape), "shape_ids"], "embedding/shapes"),
    ...(characters === undefined ? [] : [writeCharacters(writer, features, characters)]),
  ];
  if (join === "concat") return writer.op("Concat", parts, embeddingsValue, { axis: 1 });
  const [first = "", ...rest] = parts;
  const sum = rest.reduce((total, part, i) => writer.op("Add", [total, part], `embedding/sum${i}`), first);
  const scale = writer.weight("embedding.norm.scale", [word], { value: 1 });
  const bias = writer.weight("embedding.norm.bias", [word], { value: 0 });
  return writer.op("LayerNormalization", [sum, scale, bias], embeddingsValue, { axis: -1 });
}

/**
 * [U, C] character rows to [U, filters]; what stands after the end of a word changes nothing.
 *
 * All words are convolved as one long row [1, width, U·(C + gap)], with a gap of zeros between words as wide as a filter reaches: one large
 * matrix product instead of U small ones.
 */
function writeCharacters(
  writer: LayerWriter,
  features: FeatureSettings,
  settings: CharacterSettings,
): string {
  const { width, filters } = settings;
  const rows = firstCharacter + features.characters.length;
  const gap = Math.max(...filters.map(({ size }) => size >> 1));
  const table = writer.weight("embedding.characters", [rows, width], { bound: embeddingBound(width) });
  const ids = writer.op(
    "Pad",
    ["character_ids", writer.ints("pads.characters", [0, 0, 0, gap])],
    "characters/ids",
  );
  const gathered = writer.op("Gather", [table, ids], "characters/rows");
  const isReal = writer.op("Cast", [ids], "characters/real", { to: 9 });
  const mask = writer.op("Cast", [isReal], "characters/mask", { to: 1 });
  const alongRows = writer.op("Unsqueeze", [mask, writer.ints("axis.2", [2])], "characters/mask-rows");
  const masked = writer.op("Mul", [gathered, alongRows], "characters/masked");
  const row = writer.op(
    "Reshape",
    [masked, writer.ints("shape.characters", [1, -1, width])],
    "characters/row",
  );
  const channels = writer.op("Transpose", [row], "characters/channels", { perm: [0, 2, 1] });
  const convolved = filters.map(({ size, count }) => {
    const bound = Math.sqrt(3 / (width * size));
    const W = writer.weight(`characters.${size}.weight`, [count, width, size], { bound });
    const b = writer.weight(`characters.${size}.bias`, [count], { value: 0 });
    const before = (size - 1) >> 1;
    return writer.op("Conv", [channels, W, b], `characters/convolution${size}`, {
      kernel_shape: [size],
      pads: [before, size - 1 - before],
    });
  });
  const all =
    convolved.length === 1
      ? (convolved[0] as string)
      : writer.op("Concat", convolved, "characters/convolutions", { axis: 1 });
  // After ReLU nothing is below 0, so zeros outside the word never are the largest value.
  const positive = writer.op("Relu", [all], "characters/positive");
  const count = characterFilters(settings);
  const shape = writer.op(
    "Concat",
    [writer.ints("shape.filters", [count]), writer.op("Shape", [ids], "characters/shape")],
    "characters/words-shape",
    { axis: 0 },
  );
  const byWord = writer.op("Reshape", [positive, shape], "characters/by-word");
  const inside = writer.op("Mul", [byWord, mask], "characters/inside");
  const largest = writer.op("ReduceMax", [inside, writer.ints("axis.2", [2])], "characters/largest", {
    keepdims: 0,
  });
  return writer.op("Transpose", [largest], "characters/output", { perm: [1, 0] });
}

/** Number of values that {@link writeEmbedder} gives for each word when parts are added: all parts must agree on it. */
export function checkEmbedding({ join, word, affix, shape, characters }: EmbeddingSettings): void {
  if (join === "concat") return;
  const widths = [word, affix, shape, ...(characters === undefined ? [] : [characterFilters(characters)])];
  if (widths.every((width) => width === word)) return;
  throw new RangeError(
    `buildNeuralModel: embedding: widths: expected equal ones to add, got ${widths.join(", ")}`,
  );
}
