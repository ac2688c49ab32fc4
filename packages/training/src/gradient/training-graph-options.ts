import type { ModelGraph } from "@nasty/graph";
import type { NamePattern } from "@nasty/graph/patterns";
import type { Loss } from "../losses/loss.js";
import type { DropoutSetting } from "./dropout.js";

export interface TrainingGraphOptions {
  /** What is minimised: one loss, or the weighted sum of several. */
  readonly loss: Loss | readonly Loss[];
  /**
   * Initializers to train, by name, glob or regular expression; all float32 ones with more than one element unless
   * given.
   */
  readonly trainable?: readonly NamePattern[];
  /** Tensors of the forward graph to be outputs as well. */
  readonly outputs?: readonly string[];
  /** Ratio and shape of the masks of Dropout nodes. */
  readonly dropout?: readonly DropoutSetting[];
  /** Edits the forward graph before it is differentiated; tensors that it returns become outputs as well. */
  readonly rewrite?: (model: ModelGraph) => readonly string[] | void;
}
