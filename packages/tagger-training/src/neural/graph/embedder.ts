import {
  affixCount,
  codeRows,
  embeddingsValue,
  type FeatureSettings,
  firstCharacter,
} from "@nasty/taggers/neural";
import { characterFilters, type CharacterSettings, type EmbeddingSettings } from "../architecture.js";
import type { LayerWriter } from "./layer-writer.js";

/** Embeddings of unit length on average, as vectors that are added to each other should have. */
const embeddingBound = (width: number, parts = 1): number => Math.sqrt(3 / width / parts);

/**
 * From the ids of U distinct words to their vectors [U, width].
 *
 * word row, sum of the affix rows, shape row, sum of the rows of the word codes, and for each filter max over the word
 * of ReLU(convolution of the character rows). There is no matrix product here, so dynamic quantization leaves a word's
 * vector independent of the other words of the run.
 */
export function writeEmbedder(
  writer: LayerWriter,
  features: FeatureSettings,
  { join, word, affix, shape, characters, codes }: EmbeddingSettings,
  codebooks?: Float32Array,
): string {
  const affixes = affixCount(features);
  const table = (name: string, rows: number, width: number, parts?: number): string =>
    writer.weight(`embedding.${name}`, [rows, width], { bound: embeddingBound(width, parts) });
  const words = writer.named("embedding/words", "Gather", [
    table("words", features.vocabulary.length + 1, word),
    "word_ids",
  ]);
  const affixRows = writer.named("embedding/affix-rows", "Gather", [
    table("affixes", features.affixRows, affix, affixes),
    "affix_ids",
  ]);
  const parts = [
    words,
    writer.named("embedding/affixes", "ReduceSum", [affixRows, writer.ints("axis.1", [1])], { keepdims: 0 }),
    writer.named("embedding/shapes", "Gather", [table("shapes", features.shapeRows, shape), "shape_ids"]),
    ...(characters === undefined ? [] : [writeCharacters(writer, features, characters)]),
    ...(codes === undefined || features.codes === undefined
      ? []
      : [writeCodes(writer, { books: features.codes.books, width: codes, codebooks })]),
  ];
  if (join === "concat") return writer.named(embeddingsValue, "Concat", parts, { axis: 1 });
  const [first = "", ...rest] = parts;
  const sum = rest.reduce((total, part, i) => writer.named(`embedding/sum${i}`, "Add", [total, part]), first);
  const scale = writer.weight("embedding.norm.scale", [word], { value: 1 });
  const bias = writer.weight("embedding.norm.bias", [word], { value: 0 });
  return writer.named(embeddingsValue, "LayerNormalization", [sum, scale, bias], { axis: -1 });
}

/** Sum of the rows of a word's codes; the first values are those that the vectors were quantized to. */
function writeCodes(
  writer: LayerWriter,
  { books, width, codebooks }: { books: number; width: number; codebooks: Float32Array | undefined },
): string {
  const rows = codeRows(books);
  const values = codebooks && new Float32Array(rows * width);
  // The row of words without codes is zeros.
  values?.set(codebooks as Float32Array, width);
  const table = writer.weight(
    "embedding.codes",
    [rows, width],
    values === undefined ? { bound: embeddingBound(width, books) } : { values },
  );
  const gathered = writer.named("embedding/code-rows", "Gather", [table, "code_ids"]);
  return writer.named("embedding/codes", "ReduceSum", [gathered, writer.ints("axis.1", [1])], {
    keepdims: 0,
  });
}

/**
 * [U, C] character rows to [U, filters]; what stands after the end of a word changes nothing.
 *
 * All words are convolved as one long row [1, width, U·(C + gap)], with a gap of zeros between words as wide as a
 * filter reaches: one large matrix product instead of U small ones.
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
  const ids = writer.named("characters/ids", "Pad", [
    "character_ids",
    writer.ints("pads.characters", [0, 0, 0, gap]),
  ]);
  const gathered = writer.named("characters/rows", "Gather", [table, ids]);
  const isReal = writer.named("characters/real", "Cast", [ids], { to: 9 });
  const mask = writer.named("characters/mask", "Cast", [isReal], { to: 1 });
  const alongRows = writer.named("characters/mask-rows", "Unsqueeze", [mask, writer.ints("axis.2", [2])]);
  const masked = writer.named("characters/masked", "Mul", [gathered, alongRows]);
  const row = writer.named("characters/row", "Reshape", [
    masked,
    writer.ints("shape.characters", [1, -1, width]),
  ]);
  const channels = writer.named("characters/channels", "Transpose", [row], { perm: [0, 2, 1] });
  const convolved = filters.map(({ size, count }) => {
    const bound = Math.sqrt(3 / (width * size));
    const W = writer.weight(`characters.${size}.weight`, [count, width, size], { bound });
    const b = writer.weight(`characters.${size}.bias`, [count], { value: 0 });
    const before = (size - 1) >> 1;
    return writer.named(`characters/convolution${size}`, "Conv", [channels, W, b], {
      kernel_shape: [size],
      pads: [before, size - 1 - before],
    });
  });
  const all =
    convolved.length === 1
      ? (convolved[0] as string)
      : writer.named("characters/convolutions", "Concat", convolved, { axis: 1 });
  // After ReLU nothing is below 0, so zeros outside the word never are the largest value.
  const positive = writer.named("characters/positive", "Relu", [all]);
  const count = characterFilters(settings);
  const shape = writer.named(
    "characters/words-shape",
    "Concat",
    [writer.ints("shape.filters", [count]), writer.named("characters/shape", "Shape", [ids])],
    { axis: 0 },
  );
  const byWord = writer.named("characters/by-word", "Reshape", [positive, shape]);
  const inside = writer.named("characters/inside", "Mul", [byWord, mask]);
  const largest = writer.named("characters/largest", "ReduceMax", [inside, writer.ints("axis.2", [2])], {
    keepdims: 0,
  });
  return writer.named("characters/output", "Transpose", [largest], { perm: [1, 0] });
}

/** Number of values that {@link writeEmbedder} gives for each word when parts are added: all parts must agree on it. */
export function checkEmbedding({ join, word, affix, shape, characters, codes }: EmbeddingSettings): void {
  if (join === "concat") return;
  const widths = [
    word,
    affix,
    shape,
    ...(characters === undefined ? [] : [characterFilters(characters)]),
    ...(codes === undefined ? [] : [codes]),
  ];
  if (widths.every((width) => width === word)) return;
  throw new RangeError(
    `buildNeuralModel: embedding: widths: expected equal ones to add, got ${widths.join(", ")}`,
  );
}
