import { describe, expect, it } from "vitest";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { layerName, ModelGraph } from "../../src/index.js";

function named(node: string, weight: string, bias: string): string {
  const graph = makeGraph("layer", {
    nodes: [
      makeNode("MatMul", ["x", weight], ["product"], { name: node }),
      makeNode("Add", ["product", bias], ["y"]),
    ],
    inputs: [makeValueInfo("x", "float32", [1, 2])],
    outputs: [makeValueInfo("y", "float32", [1, 2])],
    initializers: [
      makeTensor(weight, "float32", { values: [1, 2, 3, 4], shape: [2, 2] }),
      makeTensor(bias, "float32", { values: [1, 2] }),
    ],
  });
  const { main } = ModelGraph.from(makeModel(graph));
  return layerName(main, main.nodes[0]!, weight);
}

describe("layerName", () => {
  it.each([
    [
      "the weight's own name",
      "/classifier/MatMul",
      "classifier.weight",
      "classifier.bias",
      "classifier.weight",
    ],
    ["the node's path", "/classifier/MatMul", "onnx::MatMul_517", "classifier.bias", "/classifier/MatMul"],
    ["the bias's name", "node_MatMul_12", "val_12", "classifier.bias", "classifier"],
    ["the node, where nothing has a name", "MatMul_12", "517", "518", "MatMul_12"],
    ["the weight, where the node has none", "", "517", "518", "517"],
  ])("is %s", (_, node, weight, bias, expected) => {
    expect(named(node, weight, bias)).toBe(expected);
  });
});
