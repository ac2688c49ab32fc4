import type { LabelSettings } from "../label-choice.js";

/**
 * How rows of several lengths get into one run.
 *
 * - `masked`: the model knows where a row ends; shorter rows are filled on the right.
 * - `never`: the model reads what stands behind a row, and was not trained to; only rows of one length share a run.
 * - `right`, `left`: every row is filled on that side to the one length that the model was trained with.
 */
export type Padding = "masked" | "never" | "right" | "left";

/** All that a tagger of word ids needs beside the graph. */
export interface SequenceSettings extends LabelSettings {
  readonly kind: "sequence";
  /** Words by id; an empty text where an id is no word's. */
  readonly words: readonly string[];
  /** Whether words are looked up in lower case. */
  readonly lowercase: boolean;
  /** Id of a word that is not in the list. */
  readonly unknownId: number;
  /** Id at places that are filled. */
  readonly paddingId: number;
  readonly padding: Padding;
  /** Most words in a run, where the model does not fix it; longer sentences go through windows. */
  readonly maxLength?: number | undefined;
  /** Whether the model ends with a softmax: what it gives are probabilities, not their logarithms. */
  readonly probabilities: boolean;
}
