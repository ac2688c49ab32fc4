import type { ModelGraph } from "@nasty/graph";
import type { Tensor } from "@nasty/core";
import type { TrainingGraphOptions } from "../gradient/training-graph-options.js";
import type { Batch } from "./batch.js";

/** What a modifier sees after an update. Arrays are the trainer's own: what is written into them is trained on. */
export interface ModifierStep {
  /** Number of the step that is done, from 1. */
  readonly step: number;
  /** Values of the tensors that it watches. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** The running averages, if the optimizer keeps them. */
  readonly averages: ReadonlyMap<string, Float32Array> | undefined;
}

/** Something that works on a model while it trains, such as fake quantization or pruning masks. */
export interface Modifier {
  /** Key of its state in checkpoints; every modifier of a training has its own. */
  readonly name: string;
  /** Edits the forward graph before it is differentiated. Float32 initializers that it adds can be trained. */
  rewrite?(model: ModelGraph): void;
  /** Tensors of the rewritten graph that `afterStep` wants; asked once, after `rewrite`. */
  watched?(): readonly string[];
  /** Values of inputs that `rewrite` added; asked before every pass. */
  feeds?(step: number): Batch;
  afterStep?(context: ModifierStep): void;
  /** Arrays with which `restore` goes on after an interruption. Views: copied before the next step. */
  state?(): Readonly<Record<string, Float32Array>>;
  restore?(arrays: Readonly<Record<string, Float32Array>>): void;
}

/** States of modifiers by `MODIFIER/ARRAY`. */
export type ModifierState = Readonly<Record<string, Float32Array>>;

/** All modifiers of a training as one. */
export function combineModifiers(modifiers: readonly Modifier[]): Required<Omit<Modifier, "name">> {
  return {
    rewrite: (model) => {
      for (const modifier of modifiers) modifier.rewrite?.(model);
    },
    watched: () => [...new Set(modifiers.flatMap((modifier) => modifier.watched?.() ?? []))],
    feeds: (step) => Object.assign({}, ...modifiers.map((modifier) => modifier.feeds?.(step) ?? {})),
    afterStep: (context) => {
      for (const modifier of modifiers) modifier.afterStep?.(context);
    },
    state: () => {
      const arrays: Record<string, Float32Array> = {};
      for (const modifier of modifiers)
        for (const [array, values] of Object.entries(modifier.state?.() ?? {}))
          arrays[`${modifier.name}/${array}`] = values;
      return arrays;
    },
    restore: (arrays) => {
      for (const modifier of modifiers) {
        const prefix = `${modifier.name}/`;
        const own = Object.entries(arrays).filter(([key]) => key.startsWith(prefix));
        modifier.restore?.(
          Object.fromEntries(own.map(([key, values]) => [key.slice(prefix.length), values])),
        );
      }
    },
  };
}

/**
 * The rewrite of a training's options followed by those of its modifiers; gives the tensors that both want as outputs.
 */
export function rewriteOf({
  rewrite,
  modifiers,
}: Pick<TrainingGraphOptions, "rewrite"> & { readonly modifiers?: readonly Modifier[] }): (
  model: ModelGraph,
) => readonly string[] {
  const combined = combineModifiers(modifiers ?? []);
  return (model) => {
    const own = rewrite?.(model) ?? [];
    combined.rewrite(model);
    return [...own, ...combined.watched()];
  };
}
