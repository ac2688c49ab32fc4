import type { DType, Tensor } from "@nasty/core";
import { type NodeProto, tensorFromProto } from "@nasty/formats/onnx";
import { constantNodeValue, inferShapes, isFlat, type ModelGraph, operatorLabel } from "@nasty/graph";
import {
  type Batch,
  type DropoutSetting,
  type DropoutSite,
  dropoutSites,
  TrainingError,
} from "@nasty/training";
import type { Backend } from "./backend/backend.js";
import { dropoutMask } from "./dropout-mask.js";
import { type OperatorContext, untaped } from "./operators/context.js";
import { operatorOf } from "./operators/table.js";
import type { TfTensor } from "./tensorflow.js";
import { TfjsError } from "../tfjs-error.js";
import { toTf } from "./values.js";

/** What one run of the graph is given beside its constants. */
export interface RunInputs {
  readonly weights: ReadonlyMap<string, TfTensor>;
  readonly batch: Batch;
  /** Seed of the dropout masks of the step. */
  readonly seed: number;
}

export interface ForwardOptions {
  /** Initializers that are given with every run instead. */
  readonly trained: ReadonlySet<string>;
  readonly dropout: readonly DropoutSetting[];
}

/** A graph in TensorFlow.js operations. */
export interface Forward {
  /**
   * Values of tensors of the graph. Inside a tape they can be differentiated; their life is that of the scope around.
   */
  run(inputs: RunInputs): (name: string) => TfTensor;
  /** Element type of a tensor in the ONNX graph. */
  dtype(name: string): DType;
  /** Gives the constants' memory back. */
  dispose(): void;
}

/**
 * Prepares a forward graph: uploads its constants and computes what depends on nothing else.
 *
 * @throws TfjsError `unsupported-operator` naming operator and node, `unsupported-attribute`
 */
export function forwardOf(
  { tf, name: backend }: Backend,
  edited: ModelGraph,
  { trained, dropout }: ForwardOptions,
): Forward {
  const graph = edited.main;
  graph.sort();
  const types = inferShapes(edited);
  const dtype = (name: string): DType => types.typeOf(graph, name)?.dtype ?? "float32";
  const sites = new Map(dropoutSites(graph, types, dropout).map((site) => [site.node, site]));
  const constants = new Map<string, TfTensor>();
  for (const [name, proto] of graph.initializers)
    if (!trained.has(name)) constants.set(name, toTf(tf, tensorFromProto(proto)));

  const evaluate = (node: NodeProto, valueOf: (name: string) => TfTensor, seed: number): Outputs => {
    const site = sites.get(node);
    if (site !== undefined) return [dropped(valueOf(node.input[0] ?? ""), site, seed)];
    const constant = node.opType === "Constant" ? constantNodeValue(node) : undefined;
    if (constant !== undefined) return [toTf(tf, constant)];
    const operator = operatorOf(node);
    if (operator === undefined) throw unsupported(node);
    const context = contextOf(node, valueOf);
    const compute = (): Outputs => {
      const result = operator(context);
      return Array.isArray(result) ? (result as Outputs) : [result as TfTensor];
    };
    return isFlat(node) ? [untaped(tf, () => compute()[0] as TfTensor)] : compute();
  };
  const dropped = (x: TfTensor, site: DropoutSite, seed: number): TfTensor =>
    site.ratio === 0 ? x : tf.mul(x, dropoutMask(tf, x.shape, { ...site, seed }));
  const contextOf = (node: NodeProto, valueOf: (name: string) => TfTensor): OperatorContext => {
    const refuse = (what: string, expected: string, got: string): never => {
      const name = node.name || node.output[0] || "";
      throw new TfjsError(
        "unsupported-attribute",
        `tensorflowEngine: node ${JSON.stringify(name)} (${node.opType}): ${what}: expected ${expected}, got ${got}`,
        { node: name, operator: node.opType },
      );
    };
    const optional = (index: number): TfTensor | undefined => {
      const name = node.input[index] ?? "";
      return name === "" ? undefined : valueOf(name);
    };
    return {
      tf,
      backend,
      node,
      optional,
      refuse,
      input: (index) => optional(index) ?? refuse(`input ${index}`, "a tensor", "none"),
      inputs: () => node.input.map((name) => valueOf(name)),
      dtype: (index) => types.typeOf(graph, node.input[index] ?? "")?.dtype,
    };
  };

  const varying: NodeProto[] = [];
  for (const node of graph.nodes) {
    const isConstant =
      node.input.every((name) => name === "" || constants.has(name)) && (sites.get(node)?.ratio ?? 0) === 0;
    if (!isConstant) {
      if (operatorOf(node) === undefined && !sites.has(node)) throw unsupported(node);
      varying.push(node);
      continue;
    }
    const values = tf.tidy(() =>
      evaluate(node, (name) => constants.get(name) as TfTensor, 0).map((v) => v?.clone()),
    );
    for (const [i, value] of values.entries())
      if (value !== undefined && (node.output[i] ?? "") !== "")
        constants.set(node.output[i] as string, value);
  }

  return {
    dtype,
    run({ weights, batch, seed }) {
      const values = new Map<string, TfTensor>([...constants, ...weights]);
      for (const { name } of graph.inputs) {
        if (values.has(name)) continue;
        values.set(name, toTf(tf, fed(batch, name)));
      }
      const valueOf = (name: string): TfTensor => {
        const value = values.get(name);
        if (value === undefined)
          throw new Error(`tensorflowEngine: tensor ${JSON.stringify(name)}: no value`);
        return value;
      };
      for (const node of varying) {
        for (const [i, value] of evaluate(node, valueOf, seed).entries())
          if (value !== undefined && (node.output[i] ?? "") !== "")
            values.set(node.output[i] as string, value);
      }
      return valueOf;
    },
    dispose() {
      for (const value of constants.values()) value.dispose();
      constants.clear();
    },
  };
}

type Outputs = readonly (TfTensor | undefined)[];

/** A tensor of the batch. */
export function fed(batch: Batch, name: string): Tensor {
  const tensor = batch[name];
  if (tensor === undefined) {
    throw new TrainingError(
      "invalid-batch",
      `step: input ${JSON.stringify(name)}: expected a tensor in the batch, got none`,
      { tensor: name },
    );
  }
  return tensor;
}

function unsupported(node: NodeProto): TfjsError {
  const name = node.name || node.output[0] || "";
  const operator = operatorLabel(node);
  return new TfjsError(
    "unsupported-operator",
    `tensorflowEngine: node ${JSON.stringify(name)}: operator: expected one that it runs, got ${operator}`,
    { node: name, operator },
  );
}
