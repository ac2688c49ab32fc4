/** Whether one ranking decides over the whole model, or every weight or layer loses the same share. */
export type PruningScope = "global" | "layer";

/** A weight that gets zeros: those of its elements that are smallest in magnitude. */
export interface PlannedZeros {
  /** Name of the weight: an initializer or the output of a Constant node. */
  readonly name: string;
  /** Path of the graph that holds it. */
  readonly graph: string;
  readonly op: string;
  readonly shape: readonly number[];
  readonly elements: number;
  /** How many elements will be zero, those that are zero already included. */
  readonly zeros: number;
}

/** Attention heads that go. */
export interface PlannedHeads {
  /** Label of the node that multiplies the joined heads with the output weight. */
  readonly node: string;
  /** First output of that node: unique in its graph. */
  readonly output: string;
  /** Name of the output weight: rows h·width to (h + 1)·width belong to head h. */
  readonly weight: string;
  readonly heads: number;
  /** Values a head. */
  readonly width: number;
  /** Heads to remove, ascending, from 0. */
  readonly remove: readonly number[];
  /** One figure a head; comparable within the plan. */
  readonly importance: readonly number[];
}

/** Feed-forward neurons that go. */
export interface PlannedNeurons {
  /** Label of the node that multiplies the activations with the second weight. */
  readonly node: string;
  readonly output: string;
  /** Name of the second weight: row i belongs to neuron i. */
  readonly weight: string;
  readonly neurons: number;
  /** Neurons to remove, ascending, from 0. */
  readonly remove: readonly number[];
  /** Share of the importance of all neurons of this layer that the removed ones hold, 0 to 1. */
  readonly lostImportance: number;
}

/** An encoder layer that goes: whoever read its result reads what it was given. */
export interface PlannedLayer {
  /** Number of the layer, from 0, in the order of the graph. */
  readonly layer: number;
  /** The value of the residual stream that the layer reads. */
  readonly from: string;
  /** The value of the residual stream that it makes. */
  readonly to: string;
}

/** Rows of an embedding table that stay. */
export interface PlannedVocabulary {
  /** Name of the table. */
  readonly table: string;
  /** First output of the node that looks rows up. */
  readonly output: string;
  /** The model's input with the ids. */
  readonly input: string;
  readonly rows: number;
  /** Ids to keep, ascending. */
  readonly keep: readonly number[];
  /** Id whose row every dropped id gets. */
  readonly unknown: number;
  /** `graph`: a table in the model maps old ids to new; `tokenizer`: the caller feeds new ids. */
  readonly remap: "graph" | "tokenizer";
}

/** What could have been pruned and is not. */
export interface NotPruned {
  readonly name: string;
  readonly op: string;
  readonly reason: string;
}

/** What a pruning step is about to do, as plain data: it can be printed, stored as JSON, filtered and applied. */
export interface PruningPlan {
  readonly schemaVersion: 1;
  /** The options with their defaults filled in; data only by its presence. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Where importance comes from: magnitudes of weights, or gradients on the caller's data. */
  readonly importance: "magnitude" | "first-order";
  readonly tensors: readonly PlannedZeros[];
  readonly heads: readonly PlannedHeads[];
  readonly neurons: readonly PlannedNeurons[];
  readonly layers: readonly PlannedLayer[];
  readonly vocabulary: PlannedVocabulary | undefined;
  readonly notPruned: readonly NotPruned[];
  readonly warnings: readonly string[];
}

/** What was done. */
export interface PruningReport {
  /**
   * Parameters before and after, as `describeGraph` counts them; `nonZero` counts those of the pruned model that are
   * not 0.
   */
  readonly parameters: { readonly before: number; readonly after: number; readonly nonZero: number };
  /** Weights with zeros: the share that is zero now. */
  readonly tensors: readonly {
    readonly name: string;
    readonly op: string;
    readonly elements: number;
    readonly zeros: number;
    readonly sparsity: number;
  }[];
  readonly heads: readonly { readonly node: string; readonly before: number; readonly after: number }[];
  readonly neurons: readonly { readonly node: string; readonly before: number; readonly after: number }[];
  /** Numbers of the layers that were dropped. */
  readonly layers: readonly number[];
  readonly vocabulary:
    | {
        readonly table: string;
        readonly before: number;
        readonly after: number;
        readonly remap: "graph" | "tokenizer";
        /** New id by old id; dropped ids have the unknown word's. */
        readonly newIds: readonly number[];
      }
    | undefined;
  readonly notPruned: readonly NotPruned[];
  readonly warnings: readonly string[];
}
