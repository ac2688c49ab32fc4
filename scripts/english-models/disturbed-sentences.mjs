// What the scripts about noise share: a treebank file as people might have typed it.
import { seededRandom } from "../../packages/core/dist/index.js";
import { words as wordsOf } from "../../packages/formats/dist/conllu/index.js";
import { readConlluFile } from "../../packages/formats/dist/conllu/node.js";
import { defaultNoise, disturb } from "../../packages/tagger-training/dist/index.js";

/** The kinds of noise by name. */
export const noiseKinds = Object.keys(defaultNoise).filter(
  (name) => name !== "share" && name !== "typingPerWord",
);

/** Sentences of a treebank file with one kind of noise in every one: words, and their parts of speech as labels. */
export async function disturbedSentences(path, kind, seed) {
  const none = Object.fromEntries(noiseKinds.map((name) => [name, 0]));
  const noise = { ...defaultNoise, ...none, share: 1, [kind]: 1 };
  const random = seededRandom(seed);
  const sentences = [];
  for await (const sentence of readConlluFile(path)) {
    const all = wordsOf(sentence);
    const forms = all.map(({ form }) => form);
    const { words, places } = disturb(forms, noise, random);
    sentences.push({ words, labels: places.map((place) => all[place].upos) });
  }
  return sentences;
}
