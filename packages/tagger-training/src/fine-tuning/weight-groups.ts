import type { ModelProto } from "@nasty/formats/onnx";
import { type Graph, ModelGraph } from "@nasty/graph";
import { TaggerError } from "@nasty/taggers";
import type { ParameterGroup } from "@nasty/training";

/** Weights that stay as they are. */
export interface Freeze {
  /** The embedding tables and their normalisation. */
  readonly embeddings?: boolean;
  /** This many layers, counted from the embeddings. */
  readonly layers?: number;
}

export interface GroupOptions {
  readonly weightDecay: number;
  /** Factor of the learning rate from one layer to the one below it; 1 is the same for all. */
  readonly layerDecay: number;
  readonly freeze: Freeze;
}

/** Which weights are trained, and the optimizer's settings for them. */
export interface WeightGroups {
  readonly trainable: readonly string[];
  readonly groups: readonly ParameterGroup[];
}

/**
 * Sorts weights by depth and kind: 0 for embeddings, i + 1 for layer i, one more than the last for the head.
 *
 * Learning rate: layerDecay^(head − depth). Biases and normalisation (one dimension) are not decayed.
 *
 * @param weights names of the weights that the loss depends on, with their shapes
 * @throws TaggerError `option` for a factor outside (0, 1], more frozen layers than there are, layers that the names do
 *   not tell, and if nothing is left to train.
 */
export function weightGroups(
  model: ModelProto,
  weights: readonly { readonly name: string; readonly shape: readonly number[] }[],
  { weightDecay, layerDecay, freeze }: GroupOptions,
): WeightGroups {
  const graph = ModelGraph.from(model).main;
  const depths = new Map(weights.map(({ name }) => [name, placeOf(graph, name)]));
  const layers = Math.max(-1, ...[...depths.values()].filter((place) => typeof place === "number")) + 1;
  const { embeddings = false, layers: frozenLayers = 0 } = freeze;
  if (!(layerDecay > 0 && layerDecay <= 1)) throw refuse("layerDecay", "a factor in (0, 1]", layerDecay);
  if (!(Number.isInteger(frozenLayers) && frozenLayers >= 0 && frozenLayers <= layers))
    throw refuse("freeze: layers", `0 to ${layers}`, frozenLayers);
  if (layers === 0 && layerDecay !== 1)
    throw refuse("layerDecay", "1 (no weight's name tells its layer)", layerDecay);

  const depthOf = (name: string): number => {
    const place = depths.get(name);
    return place === "embeddings" ? 0 : typeof place === "number" ? place + 1 : layers + 1;
  };
  const isFrozen = (name: string): boolean => {
    const place = depths.get(name);
    return (place === "embeddings" && embeddings) || (typeof place === "number" && place < frozenLayers);
  };
  const trained = weights.filter(({ name }) => !isFrozen(name));
  if (trained.length === 0) throw refuse("freeze", "at least one weight that is trained", "none");
  const byKey = new Map<string, { readonly group: ParameterGroup; readonly names: string[] }>();
  for (const { name, shape } of trained) {
    const factor = layerDecay ** (layers + 1 - depthOf(name));
    const decay = shape.length < 2 ? 0 : weightDecay;
    const key = `${factor} ${decay}`;
    const names = byKey.get(key)?.names ?? [];
    if (names.length === 0)
      byKey.set(key, { names, group: { weights: names, learningRateFactor: factor, weightDecay: decay } });
    names.push(name);
  }
  return {
    trainable: trained.map(({ name }) => name),
    groups: [...byKey.values()].map(({ group }) => group),
  };
}

/** Layer of a weight by its own name, or by those of the nodes that read it where an exporter renamed it. */
function placeOf(graph: Graph, name: string): "embeddings" | "other" | number {
  const names = [name, ...graph.consumers(name).map(({ node }) => node.name)];
  for (const candidate of names) {
    const layer = /(?:^|[./_])(?:layers?|blocks?|h)[./_](\d+)(?:[./_]|$)/.exec(candidate);
    if (layer !== null) return Number(layer[1]);
    if (/embeddings?(?:[./_]|$)|embeddings_project/.test(candidate)) return "embeddings";
  }
  return "other";
}

function refuse(what: string, expected: string, got: unknown): TaggerError {
  return new TaggerError("option", `fineTune: ${what}: expected ${expected}, got ${String(got)}`, {
    name: what,
  });
}
