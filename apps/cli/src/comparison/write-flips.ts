import { writeFileAtomic } from "@nasty/formats/archive/node";
import type { Comparison } from "./compare-models.js";

/** Writes one line for each word whose label changed: sentence, word, form, gold, original, quantized; tab-separated. */
export async function writeFlips(path: string, comparison: Comparison): Promise<void> {
  const lines = ["sentence\tword\tform\tgold\toriginal\tquantized"];
  for (const flip of comparison.flips) {
    const { words, labels } = comparison.sentences[flip.sentence]!;
    lines.push(
      [
        flip.sentence + 1,
        flip.word + 1,
        words[flip.word],
        labels[flip.word],
        flip.original,
        flip.changed,
      ].join("\t"),
    );
  }
  await writeFileAtomic(path, [new TextEncoder().encode(`${lines.join("\n")}\n`)]);
}
