/** How well texts were classified. */
export interface ClassScores {
  /** Share of texts whose label is right. */
  readonly accuracy: number;
  /** Mean over the labels that occur, as gold or as prediction, of 2·right / (gold + predicted). */
  readonly macroF1: number;
}

/**
 * Scores of predictions.
 *
 * @param gold number of each text's label
 * @param predicted the same, in the same order
 */
export function classScores(gold: readonly number[], predicted: readonly number[]): ClassScores {
  const counts = new Map<number, { right: number; both: number }>();
  const of = (label: number) => {
    const found = counts.get(label) ?? { right: 0, both: 0 };
    counts.set(label, found);
    return found;
  };
  let right = 0;
  gold.forEach((label, i) => {
    const guess = predicted[i] as number;
    of(label).both += 1;
    of(guess).both += 1;
    if (label !== guess) return;
    right += 1;
    of(label).right += 1;
  });
  const f1 = [...counts.values()].map((one) => (2 * one.right) / one.both);
  return {
    accuracy: right / gold.length,
    macroF1: f1.reduce((sum, value) => sum + value, 0) / f1.length,
  };
}
