/** What a tagger says about words: parts of speech, or named entities as chunk labels (`B-PER`, `I-PER`, `O`). */
export type Task = "pos" | "ner";

const CHUNK_LABEL = /^[BIESLU]-(.+)$/;

/**
 * The type of a chunk label: `B-PER` gives `PER`; `O` and labels without a chunk prefix give undefined.
 *
 * @example
 * ```ts
 * entityType("B-PER"); // "PER"
 * ```
 */
export function entityType(label: string): string | undefined {
  return CHUNK_LABEL.exec(label)?.[1];
}

/**
 * The task that a label set belongs to: `ner` if it holds a chunk label (`B-`, `I-`, … followed by a type) and every
 * other label is `O` or a chunk label, else `pos`.
 *
 * @example
 * ```ts
 * taskOf(["O", "B-PER", "I-PER"]); // "ner"
 * ```
 */
export function taskOf(labels: readonly string[]): Task {
  let chunks = 0;
  for (const label of labels) {
    if (CHUNK_LABEL.test(label)) chunks++;
    else if (label !== "O") return "pos";
  }
  return chunks > 0 ? "ner" : "pos";
}

/** The entity types of a label set, sorted. */
export function entityTypes(labels: readonly string[]): string[] {
  const types = new Set<string>();
  for (const label of labels) {
    const type = entityType(label);
    if (type !== undefined) types.add(type);
  }
  return [...types].sort();
}
