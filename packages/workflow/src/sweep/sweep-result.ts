import type { OptionValue } from "@nasty/compression/pipeline";
import type { Written } from "../files/candidate.js";
import type { Judged } from "./candidate.js";

/** A step of a recipe as the sweep has it. */
export interface SweptStep {
  readonly kind: string;
  readonly options: Readonly<Record<string, OptionValue>>;
}

/** What a sweep will try, with nothing tried. */
export interface SweepPlan {
  readonly sweep: string;
  readonly model: string;
  /** The folder of the files. */
  readonly output: string;
  /** Combinations of values; several may be one recipe. */
  readonly combinations: number;
  readonly recipes: readonly { readonly steps: readonly SweptStep[] }[];
}

/** A recipe on a rung. */
export interface RungResult extends Pick<Judged, "samples" | "value" | "loss" | "flips"> {
  readonly rung: number;
  readonly lossCi95: readonly [number, number];
}

/** Where a recipe ended, and why; the frontier has the others. */
export interface RecipeEnd {
  readonly rung: number;
  /**
   * `beaten`: another one of its group is no larger and loses no more (before the last rung, by the upper ends of the
   * losses' intervals); `lossy`: it surely loses more than the largest
   * loss; `refused`: its own check refused the file; `failed`: it cannot be carried out.
   */
  readonly reason: "beaten" | "lossy" | "refused" | "failed";
  /** Name of the recipe that beats it; null for other reasons. */
  readonly by: string | null;
  readonly message: string;
}

/** A recipe that was tried. */
export interface SweptRecipe {
  readonly name: string;
  readonly steps: readonly SweptStep[];
  /** Recipes are compared within a group: the mode of quantization, or `float`. */
  readonly group: string;
  /** Null where no file was made. */
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly rungs: readonly RungResult[];
  /** Null for a recipe of the frontier. */
  readonly ended: RecipeEnd | null;
}

/** A recipe that no other one of its group beats, with its file. */
export interface FrontierRecipe {
  readonly name: string;
  readonly steps: readonly SweptStep[];
  readonly group: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Bytes of the original for each of its own. */
  readonly sizeRatio: number;
  readonly value: number;
  readonly loss: number;
  readonly lossCi95: readonly [number, number];
  readonly flips: number;
  /** Median milliseconds a sample, one at a time. */
  readonly msPerSentence: number;
  /** Times as fast as the original, measured in turn with it. */
  readonly speedup: number;
}

/** The file that was chosen, judged again as it was written. */
export interface SelectedRecipe {
  readonly name: string;
  /** Null where the written file did not do as the recipe had: nothing was kept. */
  readonly output: Written | null;
  readonly gate: {
    readonly metric: string;
    readonly original: number;
    readonly quantized: number;
    readonly loss: number;
    readonly lossCi95: readonly [number, number];
    readonly flips: number;
    readonly passed: boolean;
  };
}

/** What a sweep found. */
export interface SweepResult {
  readonly sweep: string;
  readonly model: string;
  readonly modelBytes: number;
  /** The folder of the files. */
  readonly output: string;
  readonly validation: string;
  /** `accuracy`, `f1`, … of the original; `agreement` where the text has no labels: a loss is then a disagreement. */
  readonly metric: string;
  /** Of the original, on the whole validation text. */
  readonly value: number;
  readonly rungs: readonly {
    readonly rung: number;
    readonly samples: number;
    /** Recipes that were judged on it, and that ended at it. */
    readonly recipes: number;
    readonly ended: number;
  }[];
  /** In the order of the sweep. */
  readonly recipes: readonly SweptRecipe[];
  /** Smallest first. */
  readonly frontier: readonly FrontierRecipe[];
  readonly select: string | null;
  /** Null where nothing was to be selected, or nothing qualifies. */
  readonly selected: SelectedRecipe | null;
  /** False where something was to be selected and nothing qualifies, or the written file did not. */
  readonly passed: boolean;
}
