import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { ModelGraph, unsafePairs } from "../../src/index.js";

type Node = ReturnType<typeof makeNode>;
const microsoft = { domain: "com.microsoft" };

/** int8 [4, 2]: column 0 holds two unsafe pairs along axis 0, none lies along axis 1. */
const unsafe = [100, 1, 100, -1, -100, 2, -29, 3];
const int8 = (name: string, shape: readonly number[], values: readonly number[]) =>
  makeTensor(name, "int8", { shape, values });

function modelOf(
  nodes: readonly Node[],
  shape: readonly number[] = [4, 2],
  values: readonly number[] = unsafe,
) {
  const zero = (name: string, dtype: "int8" | "uint8") => makeTensor(name, dtype, { shape: [], values: [0] });
  const graph = makeGraph("integers", {
    nodes,
    inputs: [
      makeValueInfo("u", "uint8", ["n", 4]),
      makeValueInfo("i", "int8", ["n", 4]),
      makeValueInfo("x", "float32", ["n", 4]),
    ],
    outputs: [makeValueInfo("y", "float32")],
    initializers: [
      int8("W", shape, values),
      makeTensor("s", "float32", { shape: [], values: [0.1] }),
      zero("z", "uint8"),
      zero("zi", "int8"),
    ],
  });
  return ModelGraph.from(makeModel(graph, { opsets: { "": 17, "com.microsoft": 1 } }));
}

const counts = (...args: Parameters<typeof modelOf>) =>
  unsafePairs(modelOf(...args)).map(({ weight, node, op, pairs, unsafe: found }) => [
    weight,
    node,
    op,
    pairs,
    found,
  ]);

describe("unsafePairs", () => {
  it.each<[string, Node, (readonly number[])?]>([
    ["MatMulInteger", makeNode("MatMulInteger", ["u", "W"], ["y"])],
    ["QLinearMatMul", makeNode("QLinearMatMul", ["u", "s", "z", "W", "s", "zi", "s", "z"], ["y"])],
    ["MatMulIntegerToFloat", makeNode("MatMulIntegerToFloat", ["u", "W", "s", "s"], ["y"], microsoft)],
    ["DynamicQuantizeMatMul", makeNode("DynamicQuantizeMatMul", ["x", "W", "s"], ["y"], microsoft)],
    ["QGemm", makeNode("QGemm", ["u", "s", "z", "W", "s", "zi"], ["y"], microsoft)],
    ["QAttention", makeNode("QAttention", ["u", "W", "b", "s", "s"], ["y"], microsoft)],
    ["QLinearConv", makeNode("QLinearConv", ["u", "s", "z", "W", "s", "zi", "s", "z"], ["y"]), [1, 4, 2]],
    ["DynamicQuantizeLSTM", makeNode("DynamicQuantizeLSTM", ["x", "W"], ["y"], microsoft), [1, 4, 2]],
  ])("counts pairs of rows that %s adds up", (op, node, shape) => {
    expect(counts([node], shape)).toEqual([["W", "y", op, 4, 2]]);
  });

  it("counts pairs of a convolution in the order of its sums: positions, at each the channels", () => {
    const conv = (group: number) =>
      makeNode("QLinearConv", ["u", "s", "z", "W", "s", "zi", "s", "z"], ["y"], { attributes: { group } });
    // Rows of three channels at two positions: (100, −1), (2, 100), (29, −3).
    expect(counts([conv(1)], [1, 3, 2], [100, 100, -1, 29, 2, -3])).toEqual([
      ["W", "y", "QLinearConv", 3, 0],
    ]);
    // (100, 100), (1, 2), (3, −3): neighbours in memory would be safe.
    expect(counts([conv(1)], [1, 3, 2], [100, 2, 100, 3, 1, -3])).toEqual([["W", "y", "QLinearConv", 3, 1]]);
    // One channel of a group of several outputs pairs positions; depthwise kernels add no pairs.
    expect(counts([conv(1)], [2, 1, 4], unsafe)).toEqual([["W", "y", "QLinearConv", 4, 0]]);
    expect(counts([conv(2)], [2, 1, 4], [100, 100, 0, 0, 0, 0, 0, 0])).toEqual([]);
  });

  it("follows the weight of a float operator behind its DequantizeLinear, if its activation was integers too", () => {
    const weight = makeNode("DequantizeLinear", ["W", "s", "zi"], ["w"]);
    const activation = makeNode("DequantizeLinear", ["u", "s", "z"], ["a"]);
    const product = makeNode("MatMul", ["a", "w"], ["y"]);
    expect(counts([weight, activation, product])).toEqual([["W", "y", "MatMul", 4, 2]]);
    // In front of int8 activations too: the session makes them uint8.
    expect(counts([weight, makeNode("DequantizeLinear", ["i", "s", "zi"], ["a"]), product])).toHaveLength(1);
    // A float product of a weight that is merely stored as integers is exact.
    expect(counts([weight, makeNode("MatMul", ["x", "w"], ["y"])])).toEqual([]);
  });

  it("looks along the rows of a weight that is read transposed", () => {
    const rows = [100, 100, 1, 2, 3, 4, -100, -100];
    const gemm = makeNode("QGemm", ["u", "s", "z", "W", "s", "zi"], ["y"], {
      ...microsoft,
      attributes: { transB: 1 },
    });
    expect(counts([gemm], [2, 4], rows)).toEqual([["W", "y", "QGemm", 4, 2]]);
    const turned = [
      makeNode("Transpose", ["W"], ["Wt"], { attributes: { perm: [1, 0] } }),
      makeNode("MatMulInteger", ["u", "Wt"], ["y"], { name: "dense" }),
    ];
    expect(counts(turned, [2, 4], rows)).toEqual([["W", "dense", "MatMulInteger", 4, 2]]);
  });

  it("counts a weight once for each axis, whoever reads it, in nested graphs too", () => {
    const body = makeGraph("body", {
      nodes: [makeNode("MatMulInteger", ["u", "W"], ["inner"])],
      outputs: [makeValueInfo("inner", "int32")],
    });
    const nodes = [
      makeNode("MatMulInteger", ["u", "W"], ["a"]),
      makeNode("MatMulInteger", ["u", "W"], ["b"]),
      makeNode("If", ["c"], ["y"], { attributes: { then_branch: body, else_branch: body } }),
    ];
    expect(counts(nodes)).toEqual([["W", "a", "MatMulInteger", 4, 2]]);
  });

  it("leaves out what is exact everywhere: int8 activations, unsigned weights, ConvInteger, weights in blocks", () => {
    expect(counts([makeNode("MatMulInteger", ["i", "W"], ["y"])])).toEqual([]);
    expect(counts([makeNode("ConvInteger", ["u", "W"], ["y"])], [1, 4, 2])).toEqual([]);
    expect(counts([makeNode("MatMulNBits", ["x", "W", "s"], ["y"], microsoft)])).toEqual([]);
    expect(counts([makeNode("MatMulInteger", ["u", "z"], ["y"])])).toEqual([]);
    expect(counts([makeNode("MatMulInteger", ["u", "i"], ["y"])])).toEqual([]);
  });

  it("reads int8 weights in Constant nodes", () => {
    const held = [
      makeNode("Constant", [], ["C"], { attributes: { value: int8("C", [2, 1], [-128, -1]) } }),
      makeNode("MatMulInteger", ["u", "C"], ["y"]),
    ];
    expect(counts(held)).toEqual([["C", "y", "MatMulInteger", 1, 1]]);
  });
});
