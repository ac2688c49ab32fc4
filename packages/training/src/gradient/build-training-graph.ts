import type { DType } from "@nasty/core";
import { makeValueInfo, type ModelProto, type TensorProto } from "@nasty/formats/onnx";
import { type Graph, inferShapes, type ValueTypes } from "@nasty/graph";
import { matchLayers, type NamePattern } from "@nasty/graph/patterns";
import { emitLoss } from "../losses/emit-loss.js";
import { TrainingError } from "../training-error.js";
import { backpropagate, type RowGradient } from "./backpropagate.js";
import { activateDropout, dropoutSeedInput } from "./dropout.js";
import { gradientWriter } from "./gradient-writer.js";
import { prepareForward } from "./prepare-forward.js";
import type { TrainingGraphOptions } from "./training-graph-options.js";

/** Where the gradient of a weight comes out. Both may be: a table that is looked up and multiplied by. */
export interface WeightGradient {
  readonly name: string;
  readonly shape: readonly number[];
  /** Output with the gradient in the shape of the weight. */
  readonly dense: string | undefined;
  /** Outputs with rows that add to the gradient: int64 indices [N] and float32 rows [N, D]. */
  readonly rows: readonly RowGradient[];
  /** The initializer that became an input. */
  readonly initial: TensorProto;
}

export interface TrainingGraph {
  /** A graph of forward pass, loss and backward pass, with the weights among its inputs. */
  readonly model: ModelProto;
  readonly weights: readonly WeightGradient[];
  /** Output with the total loss, a scalar. */
  readonly loss: string;
  /** Output of every loss by its name. */
  readonly losses: Readonly<Record<string, string>>;
  /** Tensors of the forward graph that are outputs. */
  readonly outputs: readonly string[];
  /** Input for the seed of the dropout masks (uint32 [1]), if the model has any. */
  readonly seed: string | undefined;
}

/**
 * Differentiates a model: from a forward graph and a loss to a graph that computes the loss and the gradient of
 * every trained weight.
 *
 * Reverse mode: with ȳ = ∂loss/∂y, each node contributes x̄ += (∂y/∂x)ᵀ·ȳ to its inputs, last node first; tensors used
 * several times (shared weights) sum their contributions. Only nodes between trained weights and the loss are
 * differentiated. Trained initializers become inputs of the same name; labels become inputs; Dropout nodes become
 * active. Batch and length stay dynamic.
 *
 * @param model a forward model, operator set 11 to 25, float32; not changed
 * @throws TrainingError `unsupported-operator` naming operator and node, `unsupported-attribute`, `unsupported-opset`,
 *   `unsupported-type`, `no-match` for a pattern without initializer, `no-gradient` for a weight that the loss does not
 *   depend on, `unknown-tensor`, `invalid-option`.
 * @see A. Griewank and A. Walther, "Evaluating Derivatives" (2008), chapter 3
 * @example
 * ```ts
 * const training = buildTrainingGraph(model, { loss: { kind: "cross-entropy", logits: "logits", labels: "labels" } });
 * training.weights[0]; // { name: "W", shape: [8, 3], dense: "gradient/W", rows: [], initial }
 * ```
 */
export function buildTrainingGraph(model: ModelProto, options: TrainingGraphOptions): TrainingGraph {
  const { edited, losses, outputs } = prepareForward(model, options);
  const graph = edited.main;
  const explicit = options.trainable !== undefined;
  const trained = explicit ? selected(graph, options.trainable) : allFloats(graph);
  const seeded = activateDropout(graph, inferShapes(edited), options.dropout ?? []);
  const types = inferShapes(edited);

  const writer = gradientWriter(graph, "backward/");
  const emitted = emitLoss({ graph, writer, types, losses });
  const gradients = backpropagate({
    graph,
    types,
    writer,
    trained: new Set(trained),
    seeds: emitted.gradients,
  });

  const weights: WeightGradient[] = [];
  for (const name of trained) {
    const gradient = gradients.get(name);
    if (gradient === undefined) {
      if (!explicit) continue; // a constant of the graph, or something that the loss does not see
      throw new TrainingError(
        "no-gradient",
        `buildTrainingGraph: weight ${JSON.stringify(name)}: gradient: expected the loss to depend on it, got no path`,
        { tensor: name },
      );
    }
    weights.push(exposeWeight(graph, types, { name, gradient }));
  }
  if (weights.length === 0) {
    throw new TrainingError(
      "no-gradient",
      "buildTrainingGraph: weights: expected at least one that the loss depends on, got none",
    );
  }
  const exposed = (value: string, name: string): string => expose(graph, { value, name, dtype: "float32" });
  const lossOutput = exposed(emitted.total, "loss");
  const parts = Object.fromEntries(
    emitted.values.map(({ name, value }) => [name, exposed(value, `loss/${name}`)]),
  );
  for (const name of outputs)
    graph.addOutput(makeValueInfo(name, types.typeOf(graph, name)?.dtype ?? "float32"));
  graph.sort();
  graph.pruneUnused();
  return {
    model: edited.toModel(),
    weights,
    loss: lossOutput,
    losses: parts,
    outputs,
    seed: seeded ? dropoutSeedInput : undefined,
  };
}

function allFloats(graph: Graph): string[] {
  return [...graph.initializers.values()]
    .filter(({ dataType, dims }) => dataType === 1 && dims.reduce((a, b) => a * b, 1n) > 1n)
    .map(({ name }) => name);
}

function selected(graph: Graph, patterns: readonly NamePattern[]): string[] {
  const names = [...graph.initializers.keys()];
  const found = new Set<string>();
  const layers = names.map((name) => ({ names: [name] }));
  for (const pattern of patterns) {
    const { matched, missing } = matchLayers(layers, [pattern]);
    if (missing !== undefined) {
      throw new TrainingError(
        "no-match",
        `buildTrainingGraph: trainable: pattern ${String(pattern)}: expected an initializer that the loss depends on, got none of ${names.length}`,
      );
    }
    for (const name of names.filter((_, index) => matched[index] !== undefined)) {
      if (graph.initializer(name)?.dataType !== 1) {
        if (pattern !== name) continue; // a glob may run over index tensors
        throw new TrainingError(
          "unsupported-type",
          `buildTrainingGraph: weight ${JSON.stringify(name)}: element type: expected float32, got data type ${graph.initializer(name)?.dataType}`,
          { tensor: name },
        );
      }
      found.add(name);
    }
  }
  return names.filter((name) => found.has(name));
}

interface Gradient {
  readonly dense: string | undefined;
  readonly rows: readonly RowGradient[];
}

function exposeWeight(
  graph: Graph,
  types: ValueTypes,
  { name, gradient }: { name: string; gradient: Gradient },
): WeightGradient {
  const shape = (types.typeOf(graph, name)?.shape ?? []) as readonly number[];
  const initial = graph.initializer(name) as TensorProto;
  graph.removeInitializer(name);
  graph.addInput(makeValueInfo(name, "float32", shape));
  const dense =
    gradient.dense === undefined
      ? undefined
      : expose(graph, { value: gradient.dense, name: `gradient/${name}`, dtype: "float32" });
  const rows = gradient.rows.map(({ indices, values }, i) => ({
    indices: expose(graph, { value: indices, name: `gradient/${name}/indices/${i}`, dtype: "int64" }),
    values: expose(graph, { value: values, name: `gradient/${name}/rows/${i}`, dtype: "float32" }),
  }));
  return { name, shape, dense, rows, initial };
}

function expose(graph: Graph, { value, name, dtype }: { value: string; name: string; dtype: DType }): string {
  const output = graph.uniqueName(name);
  graph.addNode({ opType: "Identity", inputs: [value], outputs: [output] });
  graph.addOutput(makeValueInfo(output, dtype));
  return output;
}
