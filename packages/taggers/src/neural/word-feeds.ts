import { type Tensor, tensor } from "@nasty/core";
import { affixCount, type FeatureSettings } from "./features/feature-settings.js";
import type { WordFeatures } from "./features/word-features.js";

/**
 * The inputs that describe distinct words: `word_ids` [U], `affix_ids` [U, A], `shape_ids` [U], `character_ids` [U, C]
 * with a character encoder, `code_ids` [U, books] with word codes.
 */
export function wordFeeds(words: readonly WordFeatures[], settings: FeatureSettings): Record<string, Tensor> {
  const count = words.length;
  const affixes = affixCount(settings);
  const wordIds = new Int32Array(count);
  const affixIds = new Int32Array(count * affixes);
  const shapeIds = new Int32Array(count);
  words.forEach((features, i) => {
    wordIds[i] = features.word;
    affixIds.set(features.affixes, i * affixes);
    shapeIds[i] = features.shape;
  });
  return {
    word_ids: tensor("int32", [count], wordIds),
    affix_ids: tensor("int32", [count, affixes], affixIds),
    shape_ids: tensor("int32", [count], shapeIds),
    ...(settings.characters === "" ? {} : { character_ids: characterIds(words) }),
    ...(settings.codes === undefined ? {} : { code_ids: codeIds(words, settings.codes.books) }),
  };
}

function codeIds(words: readonly WordFeatures[], books: number): Tensor {
  const ids = new Int32Array(words.length * books);
  words.forEach(({ codes }, i) => ids.set(codes, i * books));
  return tensor("int32", [words.length, books], ids);
}

function characterIds(words: readonly WordFeatures[]): Tensor {
  const longest = words.reduce((most, { characters }) => Math.max(most, characters.length), 0);
  const ids = new Int32Array(words.length * longest);
  words.forEach(({ characters }, i) => ids.set(characters, i * longest));
  return tensor("int32", [words.length, longest], ids);
}
