import { expect, it } from "vitest";
import { makeNode, makeTensor } from "@nasty/formats/onnx";
import { describeGraph } from "../../src/index.js";
import { branching, float, ints, linear, modelOf } from "../small-models.js";

it("counts operators, parameters and bytes", () => {
  expect(describeGraph(linear())).toEqual({
    irVersion: 8,
    opsets: { "ai.onnx": 17 },
    producer: "nasty",
    graphs: 1,
    nodes: 3,
    ops: [
      { domain: "", op: "Add", count: 1 },
      { domain: "", op: "MatMul", count: 1 },
      { domain: "", op: "Relu", count: 1 },
    ],
    unknownOps: [],
    functions: 0,
    parameters: 16,
    initializerBytes: 64,
    initializers: 2,
    precisions: [{ dtype: "float32", tensors: 2, elements: 16, bytes: 64 }],
  });
});

it("looks into nested graphs and Constant nodes", () => {
  const nested = describeGraph(branching());
  expect([nested.graphs, nested.nodes, nested.parameters, nested.initializers]).toEqual([3, 4, 9, 2]);
  expect(nested.ops[0]).toEqual({ domain: "", op: "MatMul", count: 2 });
  const constant = makeNode("Constant", [], ["w"], {
    attributes: { value: makeTensor("", "float16", { values: [0, 0, 0], shape: [3] }) },
  });
  const held = describeGraph(
    modelOf({ nodes: [constant, makeNode("Neg", ["w"], ["y"])], outputs: [float("y")] }),
  );
  expect([held.parameters, held.initializerBytes, held.initializers]).toEqual([3, 6, 0]);
});

it("counts a packed weight as what it stands for, and neither scales nor indices", () => {
  const description = describeGraph(
    modelOf(
      {
        nodes: [
          makeNode("MatMulNBits", ["x", "B", "s"], ["h"], {
            domain: "com.microsoft",
            attributes: { K: 32, N: 5, bits: 4, block_size: 32 },
          }),
          makeNode("Reshape", ["h", "shape"], ["r"]),
          makeNode("DequantizeLinear", ["q", "scale", "zero"], ["w"]),
          makeNode("MatMul", ["r", "w"], ["m"]),
          makeNode("Mystery", ["m"], ["y"], { domain: "com.example" }),
        ],
        inputs: [float("x", ["n", 32])],
        outputs: [float("y")],
        initializers: [
          makeTensor("B", "uint8", { values: Array.from({ length: 80 }, () => 0), shape: [5, 1, 16] }),
          makeTensor("s", "float32", { values: [1, 1, 1, 1, 1] }),
          makeTensor("q", "int8", { values: Array.from({ length: 10 }, () => 1), shape: [5, 2] }),
          makeTensor("scale", "float32", { values: [1, 1] }),
          makeTensor("zero", "int8", { values: [0, 0] }),
          ints("shape", -1, 5),
        ],
      },
      { opsets: { "": 17, "com.microsoft": 1, "com.example": 1 } },
    ),
  );
  expect(description.parameters).toBe(5 * 32 + 10);
  expect(description.precisions.map(({ dtype, bytes }) => [dtype, bytes])).toEqual([
    ["uint8", 80],
    ["float32", 28],
    ["int64", 16],
    ["int8", 12],
  ]);
  expect(description.unknownOps).toEqual([{ domain: "com.example", op: "Mystery", count: 1 }]);
});
