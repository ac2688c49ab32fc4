import { describe, expect, it } from "vitest";
import {
  copyMessage,
  type GraphOptions,
  makeGraph,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelOptions,
} from "@nasty/formats/onnx";
import { GraphError, ModelGraph, validateModel } from "../../src/index.js";
import { branching, float, linear, modelOf } from "../small-models.js";

const refused = (graph: Partial<GraphOptions>, options: ModelOptions = {}): readonly [string, string] => {
  const model = modelOf({ nodes: [], inputs: [float("x", [2])], outputs: [float("y")], ...graph }, options);
  try {
    validateModel(model);
  } catch (error) {
    if (error instanceof GraphError) return [error.code, error.message];
    throw error;
  }
  throw new Error("expected a GraphError");
};

const condition = makeValueInfo("condition", "bool", []);
const branch = (name: string, ...outputs: string[]) =>
  makeGraph(name, {
    nodes: outputs.map((output) => makeNode("Relu", ["x"], [output])),
    outputs: outputs.map((output) => float(output)),
  });

describe("validateModel accepts", () => {
  it("models in any order of nodes, with nested graphs that hide names", () => {
    validateModel(linear());
    validateModel(branching());
    validateModel(ModelGraph.from(branching()));
    const backwards = linear();
    const { graph } = backwards;
    validateModel(
      copyMessage(backwards, { graph: graph && copyMessage(graph, { node: graph.node.toReversed() }) }),
    );
  });

  it("operators that it does not know, and calls of the model's functions", () => {
    validateModel(
      modelOf(
        {
          nodes: [makeNode("Mystery", ["x"], ["y"], { domain: "com.example" })],
          inputs: [float("x")],
          outputs: [float("y")],
        },
        { opsets: { "": 17, "com.example": 1 } },
      ),
    );
  });
});

describe("validateModel refuses", () => {
  it.each<[string, Partial<GraphOptions>, string, string]>([
    [
      "an empty graph",
      {},
      "empty-graph",
      "validateModel: graph main: nodes: expected at least one, got none",
    ],
    [
      "a value that nothing defines",
      { nodes: [makeNode("Add", ["x", "foo"], ["y"], { name: "sum" })] },
      "missing-input",
      'validateModel: node "sum" (Add, graph main, position 0): input 1: expected a value that the model defines, got "foo"',
    ],
    [
      "too few inputs",
      { nodes: [makeNode("Relu", ["x"], ["h"]), makeNode("MatMul", ["h"], ["y"], { name: "m" })] },
      "input-count",
      'validateModel: node "m" (MatMul, graph main, position 1): inputs: expected 2, got 1',
    ],
    [
      "a first input left out",
      { nodes: [makeNode("Relu", [""], ["y"], { name: "r" })] },
      "missing-input",
      'validateModel: node "r" (Relu, graph main, position 0): input 0: expected a value, got ""',
    ],
    [
      "too many outputs",
      { nodes: [makeNode("Relu", ["x"], ["y", "z"], { name: "r" })] },
      "output-count",
      'validateModel: node "r" (Relu, graph main, position 0): outputs: expected at most 1, got 2',
    ],
    [
      "two definitions of a value",
      { nodes: [makeNode("Relu", ["x"], ["y"]), makeNode("Neg", ["x"], ["y"], { name: "n" })] },
      "duplicate-value",
      'validateModel: node "n" (Neg, graph main, position 1): value name: expected one definition in graph main, got a second of "y"',
    ],
    [
      "two nodes of a name",
      {
        nodes: [makeNode("Relu", ["x"], ["a"], { name: "n" }), makeNode("Neg", ["a"], ["y"], { name: "n" })],
      },
      "duplicate-node",
      'validateModel: node "n" (Neg, graph main, position 1): name: expected one that no other node of the graph has, got that of position 0',
    ],
    [
      "two initializers of a name",
      {
        nodes: [makeNode("Relu", ["x"], ["y"])],
        initializers: [
          makeTensor("w", "float32", { values: [1] }),
          makeTensor("w", "float32", { values: [2] }),
        ],
      },
      "duplicate-value",
      'validateModel: graph main: initializer: value name: expected one definition in graph main, got a second of "w"',
    ],
    [
      "a cycle",
      {
        nodes: [
          makeNode("Add", ["x", "y"], ["a"], { name: "one" }),
          makeNode("Neg", ["a"], ["y"], { name: "two" }),
        ],
      },
      "cycle",
      'validateModel: graph main: nodes: expected no cycle, got "two" (Neg) → "one" (Add) → "two" (Neg)',
    ],
    [
      "an output that nothing makes",
      { nodes: [makeNode("Relu", ["x"], ["z"])] },
      "missing-output",
      'validateModel: graph main: output 0: expected a value of this graph, got "y"',
    ],
    [
      "no outputs",
      { nodes: [makeNode("Relu", ["x"], ["y"])], outputs: [] },
      "missing-output",
      "validateModel: graph main: outputs: expected at least one, got none",
    ],
    [
      "an operator without a name",
      { nodes: [makeNode("", ["x"], ["y"], { name: "n" })] },
      "missing-operator",
      'validateModel: node "n" (, graph main, position 0): operator: expected a name, got none',
    ],
    [
      "a domain that is not imported",
      { nodes: [makeNode("Gelu", ["x"], ["y"], { name: "g", domain: "com.microsoft" })] },
      "unknown-opset",
      'validateModel: node "g" (Gelu, graph main, position 0): domain: expected one of the imported operator sets (ai.onnx), got "com.microsoft"',
    ],
    [
      "an If without a branch",
      {
        nodes: [
          makeNode("If", ["condition"], ["y"], { name: "i", attributes: { then_branch: branch("t", "a") } }),
        ],
        inputs: [condition, float("x")],
      },
      "missing-subgraph",
      'validateModel: node "i" (If, graph main, position 0): else_branch: expected a graph, got none',
    ],
    [
      "a branch with the wrong number of outputs",
      {
        nodes: [
          makeNode("If", ["condition"], ["y"], {
            name: "i",
            attributes: { then_branch: branch("t", "a"), else_branch: branch("e", "b", "c") },
          }),
        ],
        inputs: [condition, float("x")],
      },
      "subgraph-outputs",
      'validateModel: node "i" (If, graph main, position 0): else_branch: outputs: expected 1, got 2',
    ],
    [
      "a branch that hands on a value from outside",
      {
        nodes: [
          makeNode("If", ["condition"], ["y"], {
            name: "i",
            attributes: {
              then_branch: makeGraph("t", { nodes: [], outputs: [float("x")] }),
              else_branch: branch("e", "b"),
            },
          }),
        ],
        inputs: [condition, float("x")],
      },
      "subgraph-outputs",
      'validateModel: graph main/i.then_branch: output 0: expected a value of this graph, got "x" of a graph around it; pass it through Identity',
    ],
    [
      "a value of one branch read in the other",
      {
        nodes: [
          makeNode("If", ["condition"], ["y"], {
            name: "i",
            attributes: {
              then_branch: branch("t", "a"),
              else_branch: makeGraph("e", {
                nodes: [makeNode("Relu", ["a"], ["b"], { name: "r" })],
                outputs: [float("b")],
              }),
            },
          }),
        ],
        inputs: [condition, float("x")],
      },
      "missing-input",
      'validateModel: node "r" (Relu, graph main/i.else_branch, position 0): input 0: expected a value that the model defines, got "a"',
    ],
  ])("%s", (_, graph, code, message) => {
    expect(refused(graph)).toEqual([code, message]);
  });

  it("operator sets of another time", () => {
    const nodes = [makeNode("Relu", ["x"], ["y"])];
    expect(refused({ nodes }, { opsets: { "": 999 } })[0]).toBe("unsupported-opset");
    expect(refused({ nodes }, { opsets: { "": 6 } })[1]).toBe(
      'validateModel: model: operator set "ai.onnx": expected version 7 to 25, got 6; convert the model to a newer opset',
    );
    expect(refused({ nodes }, { opsets: {} })[0]).toBe("unsupported-opset");
  });

  it("a model without a graph", () => {
    expect(() => validateModel(copyMessage(linear(), { graph: undefined }))).toThrow(
      "validateModel: model: graph: expected one, got none",
    );
  });
});

it("takes nodes without a name, and a name once in each graph", () => {
  const named = (name: string) =>
    makeGraph(name, { nodes: [makeNode("Relu", ["x"], [name], { name: "n" })], outputs: [float(name)] });
  const nodes = [
    makeNode("Relu", ["x"], ["a"]),
    makeNode("Relu", ["a"], ["b"]),
    makeNode("If", ["condition"], ["y"], {
      name: "n",
      attributes: { then_branch: named("then"), else_branch: named("else") },
    }),
  ];
  const model = modelOf({ nodes, inputs: [float("x", [2]), condition], outputs: [float("y")] });
  expect(() => validateModel(model)).not.toThrow();
});
