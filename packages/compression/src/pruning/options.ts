import { CompressionError } from "../compression-error.js";
import type { QuantizableOp } from "../plan/plan.js";
import type { ImportanceData } from "./importance.js";
import { checkShare } from "./masks.js";
import type { PruningScope } from "./plan.js";
import type { VocabularyOptions } from "./vocabulary.js";

export interface PruneOptions {
  /** Share to remove, from 0 to below 1: of weights' elements, or with `structured` of heads and of neurons. */
  readonly sparsity?: number;
  /** One ranking for the whole model (default), or the same share of every weight or layer. */
  readonly scope?: PruningScope;
  /**
   * Remove whole attention heads and feed-forward neurons instead of single elements; `true` takes `sparsity` of both.
   */
  readonly structured?: boolean | { readonly heads?: number; readonly neurons?: number };
  /** Measures the importance of heads and neurons by gradients; without it, magnitudes of weights decide. */
  readonly data?: ImportanceData;
  /** Encoder layers to drop: numbers from 0, or how many, taken from the end. */
  readonly layers?: number | readonly number[];
  /** Rows of the embedding table to keep. */
  readonly vocabulary?: VocabularyOptions;
  /** Names, globs and /regular expressions/ of nodes and weights to leave as they are. */
  readonly skipLayers?: readonly string[];
  /** Operators whose weights lose elements. Default MatMul, Gemm, LSTM, Conv, Gather (embeddings). */
  readonly opTypes?: readonly QuantizableOp[];
  /** Smaller weights lose no elements. Default 64. */
  readonly minimumElements?: number;
}

/** What is to be done, with the defaults filled in. */
export interface ChosenPruning {
  /** Share of elements, or undefined if none are to go. */
  readonly elements: number | undefined;
  readonly heads: number;
  readonly neurons: number;
  readonly scope: PruningScope;
  readonly skipLayers: readonly string[];
  readonly opTypes: readonly QuantizableOp[];
  readonly minimumElements: number;
}

/** @throws CompressionError `invalid-option` */
export function chosenPruning(options: PruneOptions): ChosenPruning {
  const { sparsity, scope = "global", structured = false, layers, vocabulary } = options;
  const refuse = (name: string, expected: string, got: string): never => {
    throw new CompressionError("invalid-option", `pruner.plan: ${name}: expected ${expected}, got ${got}`);
  };
  const isStructured = structured !== false;
  const own = typeof structured === "object" ? structured : {};
  const hasShare = sparsity !== undefined || own.heads !== undefined || own.neurons !== undefined;
  if (!hasShare && (isStructured || (layers === undefined && vocabulary === undefined))) {
    refuse("sparsity", "a share from 0 to below 1", "none");
  }
  const heads = isStructured ? (own.heads ?? sparsity ?? 0) : 0;
  const neurons = isStructured ? (own.neurons ?? sparsity ?? 0) : 0;
  for (const [name, share] of Object.entries({ sparsity: sparsity ?? 0, heads, neurons })) {
    checkShare("pruner.plan", name, share);
  }
  if (scope !== "global" && scope !== "layer") {
    refuse("scope", "global or layer", String(scope));
  }
  if (options.data !== undefined && !isStructured) {
    refuse("data", "structured pruning, which alone measures importance on data", "unstructured pruning");
  }
  return {
    elements: isStructured ? undefined : sparsity,
    heads,
    neurons,
    scope,
    skipLayers: options.skipLayers ?? [],
    opTypes: options.opTypes ?? ["MatMul", "Gemm", "LSTM", "Conv", "Gather"],
    minimumElements: options.minimumElements ?? 64,
  };
}

/** The options as the plan and the history record them: without data, and with the vocabulary by its size. */
export function recordedOptions(chosen: ChosenPruning, options: PruneOptions): Record<string, unknown> {
  const { elements, heads, neurons, scope, skipLayers, opTypes, minimumElements } = chosen;
  const { layers, vocabulary } = options;
  return {
    ...(elements !== undefined && { sparsity: elements, opTypes, minimumElements }),
    ...(options.structured !== undefined &&
      options.structured !== false && { structured: { heads, neurons } }),
    scope,
    skipLayers,
    ...(layers !== undefined && { layers }),
    ...(vocabulary !== undefined && {
      vocabulary: { unknown: vocabulary.unknown, remap: vocabulary.remap ?? "graph" },
    }),
  };
}
