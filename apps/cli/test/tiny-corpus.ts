import { lexicon } from "./tiny-tagger.js";

/** Sentences of the tiny lexicon; the last one has the word that is larger than all others. */
export const sentences: readonly string[] = [
  "The cat sat on a big house .",
  "Ada Lovelace ran quickly in Paris .",
  "oh , it was red and loud .",
  "she slept because a dog sat .",
  "The dog ran in Lyon and Paris .",
  "two cat and three dog slept .",
  "Acme was big .",
  "a red house .",
];

const byWord = new Map(lexicon.map(([word, upos, entity]) => [word, { upos, entity }]));

function labelOf(word: string, key: "upos" | "entity"): string {
  return byWord.get(word)?.[key] ?? "X";
}

/** The sentences as CoNLL-U with UPOS, and entities in MISC. */
export function conllu(texts: readonly string[] = sentences): string {
  return texts
    .map((text, index) => {
      const rows = text
        .split(" ")
        .map(
          (word, at) =>
            `${at + 1}\t${word}\t_\t${labelOf(word, "upos")}\t_\t_\t_\t_\t_\tNER=${labelOf(word, "entity")}`,
        );
      return `# sent_id = ${index + 1}\n# text = ${text}\n${rows.join("\n")}\n\n`;
    })
    .join("");
}

/** The sentences as two columns of words and labels. */
export function columns(
  key: "upos" | "entity" = "entity",
  texts: readonly string[] = sentences,
  change: (word: string, label: string) => string = (_, label) => label,
): string {
  return texts
    .map((text) =>
      text
        .split(" ")
        .map((word) => `${word}\t${change(word, labelOf(word, key))}\n`)
        .join(""),
    )
    .join("\n");
}
