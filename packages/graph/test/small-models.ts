import {
  type GraphOptions,
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelOptions,
  type ModelProto,
} from "@nasty/formats/onnx";
import { ModelGraph } from "../src/index.js";

/** A model of one graph, operator set 17 unless said otherwise. */
export const modelOf = (graph: GraphOptions, options: ModelOptions = {}): ModelProto =>
  makeModel(makeGraph("test", graph), { opsets: { "": 17 }, irVersion: 8, ...options });

export const open = (graph: GraphOptions, options: ModelOptions = {}): ModelGraph =>
  ModelGraph.from(modelOf(graph, options));

export const float = (name: string, shape?: readonly (number | string | undefined)[]) =>
  makeValueInfo(name, "float32", shape);

export const ints = (name: string, ...values: number[]) => makeTensor(name, "int64", { values });

/** A linear layer and a Relu: x [batch, 3] → y [batch, 4]. */
export const linear = (): ModelProto =>
  modelOf({
    nodes: [
      makeNode("MatMul", ["x", "W"], ["h"], { name: "dense" }),
      makeNode("Add", ["h", "b"], ["z"], { name: "bias" }),
      makeNode("Relu", ["z"], ["y"], { name: "relu" }),
    ],
    inputs: [float("x", ["batch", 3])],
    outputs: [float("y", ["batch", 4])],
    initializers: [
      makeTensor("W", "float32", { values: Array.from({ length: 12 }, (_, i) => i - 6), shape: [3, 4] }),
      makeTensor("b", "float32", { values: [1, 2, 3, 4] }),
    ],
  });

/** An If whose branches read x and W of the graph around; the else branch hides W with a tensor of its own. */
export const branching = (): ModelProto => {
  const thenBranch = makeGraph("then", {
    nodes: [makeNode("MatMul", ["x", "W"], ["t"], { name: "inner" })],
    outputs: [float("t")],
  });
  const elseBranch = makeGraph("else", {
    nodes: [makeNode("MatMul", ["x", "W"], ["e"], { name: "hidden" })],
    outputs: [float("e")],
    initializers: [makeTensor("W", "float32", { values: [1, 2, 3], shape: [3, 1] })],
  });
  return modelOf({
    nodes: [
      makeNode("If", ["condition"], ["chosen"], {
        name: "choice",
        attributes: { then_branch: thenBranch, else_branch: elseBranch },
      }),
      makeNode("Relu", ["chosen"], ["y"], { name: "relu" }),
    ],
    inputs: [makeValueInfo("condition", "bool", []), float("x", ["batch", 3])],
    outputs: [float("y")],
    initializers: [makeTensor("W", "float32", { values: [1, 2, 3, 4, 5, 6], shape: [3, 2] })],
  });
};
