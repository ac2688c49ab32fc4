import { writeFileAtomic } from "@nasty/formats/archive/node";
import type { Flip, LabelledSentence } from "@nasty/taggers";

/** Words whose label changed, and the text that they are words of. */
export interface FlippedWords {
  readonly flips: readonly Flip[];
  readonly sentences: readonly LabelledSentence[];
}

/**
 * Writes one line for each word whose label changed: sentence, word, form, gold, original, quantized; tab-separated.
 */
export async function writeFlips(path: string, { flips, sentences }: FlippedWords): Promise<void> {
  const lines = ["sentence\tword\tform\tgold\toriginal\tquantized"];
  for (const flip of flips) {
    const { words, labels } = sentences[flip.sentence]!;
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
