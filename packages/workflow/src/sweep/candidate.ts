import type { Artifact, PlannedStep, RecipeStep } from "@nasty/compression/pipeline";

/** A recipe that is tried: its steps, the last of which makes the file that is judged. */
export interface Candidate {
  /** By hash of the model's bytes, the options, the texts and the versions: the same name is the same work. */
  readonly name: string;
  /** As the sweep has them. */
  readonly steps: readonly RecipeStep[];
  /** See {@link Standing.group}: the mode, or `float`. */
  readonly group: string;
  /** What the last step works on. */
  readonly input: Artifact;
  /** The last step as it is carried out: with the ranges that it shares with others. */
  readonly last: PlannedStep;
}

/** How a recipe did on a rung's samples. */
export interface Judged {
  readonly samples: number;
  /** Of the metric, or the agreement with the original. */
  readonly value: number;
  readonly loss: number;
  readonly low: number;
  readonly high: number;
  readonly flips: number;
}

/** What a worker is given to do. */
export interface CandidateTask {
  readonly step: PlannedStep;
  readonly input: Artifact;
  /** The file, where it was made before; it is made if it is not there any more. */
  readonly file: Artifact | undefined;
  /** Whether to judge it on the rung that was begun. */
  readonly isJudged: boolean;
}

/** What became of it. */
export type Outcome =
  | { readonly kind: "done"; readonly file: Artifact; readonly judged: Judged | undefined }
  /** The step itself refused its file. */
  | { readonly kind: "refused"; readonly message: string }
  /** It cannot be carried out on this model and these texts. */
  | { readonly kind: "failed"; readonly message: string };

/** The same text for the same steps, whatever the order in which their options are written. */
export function identityOf(steps: readonly Pick<RecipeStep, "kind" | "options">[]): string {
  return JSON.stringify(
    steps.map(({ kind, options }) => [
      kind,
      Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ]),
  );
}

/** `prune sparsity=0.2, quantize mode=static method=entropy`. */
export function stepsText(steps: readonly Pick<RecipeStep, "kind" | "options">[]): string {
  return steps
    .map(({ kind, options }) =>
      [kind, ...Object.entries(options).map(([name, value]) => `${name}=${valueText(value)}`)].join(" "),
    )
    .join(", ");
}

function valueText(value: RecipeStep["options"][string]): string {
  return typeof value === "object" ? (value.length === 0 ? "none" : value.join("+")) : String(value);
}
