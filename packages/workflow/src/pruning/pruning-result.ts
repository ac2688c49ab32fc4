import type { PruningReport } from "@nasty/compression";
import type { DriftCheck } from "../drift/drift-check.js";
import type { Written } from "../files/candidate.js";
import type { PruningQuality } from "./quality.js";
import type { PruningSchedule } from "./settings.js";

/** What was removed, and what that did. */
interface PruningFigures {
  /** The model as it was named. */
  readonly model: string;
  readonly modelBytes: number;
  /** How it was trained on; null if it was not. */
  readonly training: { readonly schedule: PruningSchedule; readonly epochs: number } | null;
  readonly parameters: PruningReport["parameters"];
  /** Share of the weights that can be pruned element by element that is zero now; null if none were pruned so. */
  readonly sparsity: number | null;
  readonly tensors: PruningReport["tensors"];
  readonly heads: PruningReport["heads"];
  readonly neurons: PruningReport["neurons"];
  /** Numbers of the layers that were dropped. */
  readonly layers: PruningReport["layers"];
  readonly vocabulary: { readonly table: string; readonly before: number; readonly after: number } | null;
  readonly notPruned: PruningReport["notPruned"];
  readonly warnings: readonly string[];
}

/** A pruned model that was written. */
export interface PrunedModel extends PruningFigures {
  readonly output: Written;
  /** Measured on the validation text; null without one. */
  readonly gate: PruningQuality | null;
  /**
   * How far the written file's outputs are from those of the original without what was pruned; after training, of the
   * trained model.
   */
  readonly drift: DriftCheck;
  /** Of the written file, absolute: a model for every operation. */
  readonly path: string;
  readonly bytes: number;
  readonly passed: true;
}

/** A pruned model that lost more than it may: it was measured, and nothing was written. */
export interface RefusedPruning extends PruningFigures {
  readonly output: null;
  readonly gate: PruningQuality;
  readonly drift: null;
  /**
   * Where it would have been written, absolute; what stood there is as it was. No operation takes this result for a
   * model.
   */
  readonly path: string;
  readonly bytes: 0;
  readonly passed: false;
}

export type PruningResult = PrunedModel | RefusedPruning;

/** What is printed of a report: a vocabulary by its size. */
export function figuresOf(report: PruningReport): Omit<PruningFigures, "model" | "modelBytes" | "training"> {
  const { vocabulary, tensors } = report;
  const [zeros, elements] = tensors.reduce(([z, e], one) => [z + one.zeros, e + one.elements], [0, 0]);
  return {
    ...report,
    sparsity: tensors.length === 0 ? null : zeros / elements,
    vocabulary:
      vocabulary === undefined
        ? null
        : { table: vocabulary.table, before: vocabulary.before, after: vocabulary.after },
  };
}
