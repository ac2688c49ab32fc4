import { makeValueInfo } from "@nasty/formats/onnx";
import type { DType } from "@nasty/core";
import type { Graph, ValueTypes } from "@nasty/graph";
import type { GradientWriter } from "../gradient/gradient-writer.js";
import type { Dimensions } from "../gradient/rule.js";
import { TrainingError } from "../training-error.js";
import { chain } from "./chain.js";
import { crossEntropy } from "./cross-entropy.js";
import { kullbackLeibler } from "./kullback-leibler.js";
import type { Loss, LossContext, LossNodes } from "./loss.js";
import { meanSquaredError } from "./mean-squared-error.js";

export interface EmittedLosses {
  /** Weighted sum of all losses. */
  readonly total: string;
  readonly values: readonly { readonly name: string; readonly value: string }[];
  readonly gradients: LossNodes["gradients"];
}

/** Emits every loss, their weighted sum, and the gradients with respect to the tensors that they read. */
export function emitLoss({
  graph,
  writer,
  types,
  losses,
}: {
  graph: Graph;
  writer: GradientWriter;
  types: ValueTypes;
  losses: readonly Loss[];
}): EmittedLosses {
  const declared = new Map<string, DType>();
  const dimensions = (name: string): Dimensions => {
    const shape = types.typeOf(graph, name)?.shape;
    if (shape === undefined || shape.length === 0) {
      throw new TrainingError(
        "unknown-tensor",
        `buildTrainingGraph: tensor ${JSON.stringify(name)}: shape: expected at least one dimension, got ${shape === undefined ? "an unknown rank" : "a scalar"}`,
        { tensor: name },
      );
    }
    return shape;
  };
  const input = (name: string, dtype: DType, shape: Dimensions): string => {
    if (graph.inputs.some((info) => info.name === name) && declared.get(name) === undefined) return name;
    if (declared.get(name) === dtype) return name;
    if (declared.has(name) || graph.defines(name)) {
      throw new TrainingError(
        "invalid-option",
        `buildTrainingGraph: loss input ${JSON.stringify(name)}: expected a name of its own for ${dtype}, got one that is taken`,
        { tensor: name },
      );
    }
    declared.set(name, dtype);
    // Derived symbols such as "2*batch" are no names that a runtime may bind.
    graph.addInput(
      makeValueInfo(
        name,
        dtype,
        shape.map((size) => (typeof size === "number" || /^\w+$/.test(size ?? "") ? size : undefined)),
      ),
    );
    return name;
  };
  const values: { name: string; value: string }[] = [];
  const gradients: LossNodes["gradients"][number][] = [];
  const terms: string[] = [];
  for (const loss of losses) {
    const weight = loss.weight ?? 1;
    const nodes = emit(loss, { writer, dimensions, input, weight });
    const taken = values.filter(({ name }) => name === (loss.name ?? loss.kind)).length;
    values.push({
      name: `${loss.name ?? loss.kind}${taken === 0 ? "" : `-${taken + 1}`}`,
      value: nodes.value,
    });
    gradients.push(...nodes.gradients);
    terms.push(weight === 1 ? nodes.value : writer.op("Mul", [nodes.value, writer.scalar(weight)]));
  }
  return { total: writer.sum(terms), values, gradients };
}

function emit(loss: Loss, context: LossContext): LossNodes {
  switch (loss.kind) {
    case "cross-entropy":
      return crossEntropy(context, loss);
    case "kl":
      return kullbackLeibler(context, loss);
    case "mse":
      return meanSquaredError(context, loss);
    case "crf":
    case "soft-crf":
      return chain(context, loss);
    default: {
      const unreachable: never = loss;
      throw new TypeError(`emitLoss: ${JSON.stringify(unreachable)}`);
    }
  }
}
