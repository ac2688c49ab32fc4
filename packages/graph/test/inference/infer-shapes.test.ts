import { describe, expect, it } from "vitest";
import {
  type AttributeValue,
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "@nasty/formats/onnx";
import type { DType } from "@nasty/core";
import { type Dim, inferShapes, ModelGraph } from "../../src/index.js";
import { branching, float, ints, open } from "../small-models.js";

type Input = ValueInfoProto | TensorProto | "";

const isTensor = (input: Input): input is TensorProto =>
  input !== "" && input.$typeName === "onnx.TensorProto";

/** Types of one operator's outputs, as `dtype[dims]`. */
const infer = (
  opType: string,
  inputs: readonly Input[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  { opset = 17, outputs = 1, domain = "" } = {},
): readonly (string | undefined)[] => {
  const names = Array.from({ length: outputs }, (_, index) => `out${index}`);
  const node = makeNode(
    opType,
    inputs.map((input) => (input === "" ? "" : input.name)),
    names,
    { attributes, domain },
  );
  const values = inputs.filter((input) => input !== "" && !isTensor(input)) as ValueInfoProto[];
  const model = makeModel(
    makeGraph("test", {
      nodes: [node],
      inputs: values,
      outputs: [float("out0")],
      initializers: inputs.filter(isTensor),
    }),
    { opsets: { "": opset, "com.microsoft": 1 }, irVersion: 8 },
  );
  // The output must not state the type that is to be inferred.
  if (model.graph !== undefined)
    for (const output of model.graph.output) delete (output as { type?: unknown }).type;
  const graph = ModelGraph.from(model);
  const types = inferShapes(graph);
  return names.map((name) => show(types.typeOf(graph.main, name)));
};

const show = (type: { dtype: DType; shape: readonly Dim[] | undefined } | undefined): string | undefined =>
  type &&
  `${type.dtype}${type.shape === undefined ? "" : `[${type.shape.map((dim) => dim ?? "?").join(",")}]`}`;

const x = float("x", ["batch", "n", 8]);
const value = (name: string, dtype: DType, ...shape: (number | string | undefined)[]) =>
  makeValueInfo(name, dtype, shape);
const list = (values: readonly number[]): AttributeValue => ({ kind: "ints", value: values });

describe("operators", () => {
  // Every expectation with sizes alone was also compared with what ONNX Runtime 1.30 computes.
  it.each([
    ["Relu", [x], {}, ["float32[batch,n,8]"]],
    ["Add", [x, float("b", [8])], {}, ["float32[batch,n,8]"]],
    ["Equal", [x, float("b", [8])], {}, ["bool[batch,n,8]"]],
    ["MatMul", [x, float("w", [8, 3])], {}, ["float32[batch,n,3]"]],
    ["MatMul", [float("v", [8]), float("w", [8, 3])], {}, ["float32[3]"]],
    ["Gemm", [float("a", [8, "n"]), float("w", [3, 8])], { transA: 1, transB: 1 }, ["float32[n,3]"]],
    ["Gemm", [float("a", ["n", 8]), float("w", [3, 8])], { transB: 1 }, ["float32[n,3]"]],
    ["Gemm", [float("a", [8, "n"]), float("w", [8, 3])], { transA: 1 }, ["float32[n,3]"]],
    ["Transpose", [x], { perm: [2, 0, 1] }, ["float32[8,batch,n]"]],
    ["Reshape", [x, ints("s", 0, -1, 2, 4)], {}, ["float32[batch,n,2,4]"]],
    ["Reshape", [x, ints("s", -1, 8)], {}, ["float32[batch*n,8]"]],
    ["Flatten", [x], { axis: 2 }, ["float32[batch*n,8]"]],
    ["Concat", [x, float("z", ["batch", 1, 8])], { axis: 1 }, ["float32[batch,(n + 1),8]"]],
    ["Gather", [float("t", [100, 16]), value("i", "int64", "batch", "n")], {}, ["float32[batch,n,16]"]],
    ["GatherElements", [x, value("i", "int64", "batch", 1, 8)], { axis: 1 }, ["float32[batch,1,8]"]],
    ["Slice", [x, ints("s", 0), ints("e", 1), ints("a", 2)], {}, ["float32[batch,n,1]"]],
    ["Slice", [x, ints("s", 1), ints("e", 2 ** 40), ints("a", 1)], {}, ["float32[batch,(n + -1),8]"]],
    ["Expand", [float("e", [1, 1]), ints("s", 3, 4)], {}, ["float32[3,4]"]],
    ["Where", [value("c", "bool", "batch", 1, 1), x, float("f", [])], {}, ["float32[batch,n,8]"]],
    ["Cast", [x], { to: 7 }, ["int64[batch,n,8]"]],
    ["OneHot", [value("i", "int64", "n"), ints("d", 5), float("v", [2])], {}, ["float32[n,5]"]],
    ["ConstantOfShape", [ints("s", 2, 3)], {}, ["float32[2,3]"]],
    ["Range", [ints("s", 0), ints("l", 10), ints("d", 3)], {}, ["int64[4]"]],
    ["ArgMax", [x], { axis: -1, keepdims: 0 }, ["int64[batch,n]"]],
    ["LayerNormalization", [x, float("g", [8])], {}, ["float32[batch,n,8]"]],
    ["SimplifiedLayerNormalization", [x, float("g", [8])], {}, ["float32[batch,n,8]"]],
    [
      "Conv",
      [float("i", ["batch", 4, "n"]), float("w", [6, 4, 3])],
      { pads: [1, 1] },
      ["float32[batch,6,n]"],
    ],
    ["Conv", [float("i", [1, 4, 10]), float("w", [6, 4, 3])], { strides: list([2]) }, ["float32[1,6,4]"]],
    ["Pad", [float("p", [2, 3]), ints("pads", 0, 1, 0, 1)], {}, ["float32[2,5]"]],
    [
      "Einsum",
      [float("q", ["b", "h", "i", 4]), float("k", ["b", "h", "j", 4])],
      { equation: "bhid,bhjd->bhij" },
      ["float32[b,h,i,j]"],
    ],
    ["MatMulInteger", [value("q", "uint8", "n", 4), value("w", "int8", 4, 5)], {}, ["int32[n,5]"]],
    ["DequantizeLinear", [value("q", "int8", "n", 4), float("s", [])], {}, ["float32[n,4]"]],
    ["QuantizeLinear", [x, float("s", []), value("z", "int8")], {}, ["int8[batch,n,8]"]],
  ] as const)("%s %#", (opType, inputs, attributes, expected) => {
    expect(infer(opType, inputs as readonly Input[], attributes as Record<string, AttributeValue>)).toEqual(
      expected,
    );
  });

  it("with several outputs", () => {
    expect(infer("DynamicQuantizeLinear", [x], {}, { outputs: 3 })).toEqual([
      "uint8[batch,n,8]",
      "float32[]",
      "uint8[]",
    ]);
    expect(infer("TopK", [x, ints("k", 3)], {}, { outputs: 2 })).toEqual([
      "float32[batch,n,3]",
      "int64[batch,n,3]",
    ]);
    expect(infer("Split", [x, ints("s", 3, 5)], { axis: -1 }, { outputs: 2 })).toEqual([
      "float32[batch,n,3]",
      "float32[batch,n,5]",
    ]);
    expect(infer("Split", [x], { axis: 2 }, { outputs: 2 })).toEqual([
      "float32[batch,n,4]",
      "float32[batch,n,4]",
    ]);
  });

  it("recurrent", () => {
    const sequence = float("s", ["n", "batch", 8]);
    const weights = [float("w", [2, 20, 8]), float("r", [2, 20, 5])];
    const attributes = { hidden_size: 5, direction: "bidirectional" };
    expect(infer("LSTM", [sequence, ...weights], attributes, { outputs: 3 })).toEqual([
      "float32[n,2,batch,5]",
      "float32[2,batch,5]",
      "float32[2,batch,5]",
    ]);
    expect(
      infer("GRU", [sequence, float("w", [1, 15, 8]), float("r", [1, 15, 5])], { layout: 0 }, { outputs: 2 }),
    ).toEqual(["float32[n,1,batch,5]", "float32[1,batch,5]"]);
  });

  it("of the runtime's own domain", () => {
    const microsoft = { domain: "com.microsoft" };
    const packed = makeTensor("B", "uint8", {
      values: Array.from({ length: 80 }, () => 0),
      shape: [5, 1, 16],
    });
    expect(
      infer("MatMulNBits", [float("a", ["n", 32]), packed, float("s", [5])], { K: 32, N: 5 }, microsoft),
    ).toEqual(["float32[n,5]"]);
    const table = makeTensor("T", "uint8", { values: Array.from({ length: 128 }, () => 0), shape: [8, 16] });
    expect(
      infer(
        "GatherBlockQuantized",
        [table, value("i", "int64", "n"), float("s", [8, 1])],
        { bits: 4 },
        microsoft,
      ),
    ).toEqual(["float32[n,32]"]);
  });

  it("in their older forms, with lists as attributes", () => {
    expect(infer("Unsqueeze", [x], { axes: [0] }, { opset: 11 })).toEqual(["float32[1,batch,n,8]"]);
    expect(infer("Unsqueeze", [x, ints("a", -1)], {}, { opset: 13 })).toEqual(["float32[batch,n,8,1]"]);
    expect(infer("Squeeze", [float("q", [1, "n"])], { axes: [0] }, { opset: 11 })).toEqual(["float32[n]"]);
    expect(infer("Slice", [x], { starts: [0], ends: [3], axes: [2] }, { opset: 9 })).toEqual([
      "float32[batch,n,3]",
    ]);
    expect(infer("ReduceMean", [x], { axes: [-1], keepdims: 1 }, { opset: 13 })).toEqual([
      "float32[batch,n,1]",
    ]);
    expect(infer("ReduceMean", [x, ints("a", -1)], { keepdims: 0 }, { opset: 18 })).toEqual([
      "float32[batch,n]",
    ]);
    expect(infer("Pad", [float("p", [2, 3])], { pads: [0, 1, 0, 1] }, { opset: 9 })).toEqual([
      "float32[2,5]",
    ]);
    expect(infer("TopK", [x], { k: 2 }, { opset: 9, outputs: 2 })[1]).toBe("int64[batch,n,2]");
  });

  it("that are unknown, or malformed, give nothing and no error", () => {
    expect(infer("Mystery", [x], {}, { domain: "com.example" })).toEqual([undefined]);
    expect(infer("Transpose", [x], { perm: 1.5 })).toEqual([undefined]);
    expect(infer("Gather", [x, value("i", "int64", 2)], { axis: 9 })).toEqual(["float32"]);
    expect(infer("Unsqueeze", [x, ints("a", 12)], {})).toEqual(["float32"]);
    expect(infer("Reshape", [float("v"), float("w")], {})).toEqual(["float32"]);
    expect(infer("MatMul", ["", ""], {})).toEqual([undefined]);
  });
});

describe("sizes", () => {
  it("travel from Shape to Reshape, as attention heads are split", () => {
    const nodes = [
      makeNode("Shape", ["x"], ["shape"]),
      makeNode("Gather", ["shape", "zero"], ["batchSize"]),
      makeNode("Gather", ["shape", "one"], ["length"]),
      makeNode("Unsqueeze", ["batchSize", "axis"], ["batch1"]),
      makeNode("Unsqueeze", ["length", "axis"], ["length1"]),
      makeNode("Concat", ["batch1", "length1", "heads"], ["target"], { attributes: { axis: 0 } }),
      makeNode("Reshape", ["x", "target"], ["split"]),
      makeNode("Mul", ["batchSize", "length"], ["tokens"]),
      makeNode("Unsqueeze", ["tokens", "axis"], ["tokens1"]),
      makeNode("Concat", ["tokens1", "width"], ["flatTarget"], { attributes: { axis: 0 } }),
      makeNode("Reshape", ["x", "flatTarget"], ["flat"]),
      makeNode("Reshape", ["flat", "target"], ["back"]),
    ];
    const model = open({
      nodes,
      inputs: [x],
      outputs: [float("back")],
      initializers: [
        makeTensor("zero", "int64", { values: [0], shape: [] }),
        makeTensor("one", "int64", { values: [1], shape: [] }),
        ints("axis", 0),
        ints("heads", 2, -1),
        ints("width", 8),
      ],
    });
    const types = inferShapes(model);
    const at = (name: string) => show(types.typeOf(model.main, name));
    expect(at("split")).toBe("float32[batch,n,2,4]");
    expect(at("flat")).toBe("float32[batch*n,8]");
    expect(at("back")).toBe("float32[batch,n,2,4]");
    expect(types.sizesOf(model.main, "target")).toEqual(["batch", "n", 2, -1]);
  });

  it("choose through Where and Equal, as Expand targets are written", () => {
    const model = open({
      nodes: [
        makeNode("Shape", ["x"], ["shape"]),
        makeNode("ConstantOfShape", ["three"], ["ones"], {
          attributes: { value: makeTensor("", "int64", { values: [1] }) },
        }),
        makeNode("Mul", ["ones", "minus"], ["minuses"]),
        makeNode("Equal", ["shape", "minuses"], ["isOpen"]),
        makeNode("Where", ["isOpen", "ones", "shape"], ["target"]),
        makeNode("Expand", ["row", "target"], ["y"]),
      ],
      inputs: [x, float("row", [8])],
      outputs: [float("y")],
      initializers: [ints("three", 3), makeTensor("minus", "int64", { values: [-1], shape: [] })],
    });
    expect(show(inferShapes(model).typeOf(model.main, "y"))).toBe("float32[batch,n,8]");
  });
});

describe("declared types", () => {
  const custom = (info: ValueInfoProto, ...more: NodeProto[]) =>
    open(
      {
        nodes: [makeNode("Mystery", ["x"], ["m"], { domain: "com.example" }), ...more],
        inputs: [x],
        outputs: [float("y")],
        valueInfo: [info],
      },
      { opsets: { "": 17, "com.example": 1 } },
    );

  it("stand in where no rule knows better", () => {
    const model = custom(float("m", ["batch", 5]), makeNode("MatMul", ["m", "m"], ["y"]));
    const types = inferShapes(model);
    expect(show(types.typeOf(model.main, "m"))).toBe("float32[batch,5]");
    expect(show(types.typeOf(model.main, "y"))).toBe("float32[batch,5]");
  });

  it("give way to what the graph computes now", () => {
    const model = open({
      nodes: [makeNode("Unsqueeze", ["x", "axes"], ["y"])],
      inputs: [x],
      outputs: [float("y", [1, 2])],
      initializers: [ints("axes", 0)],
    });
    expect(show(inferShapes(model).typeOf(model.main, "y"))).toBe("float32[1,batch,n,8]");
  });

  it("name what is otherwise open", () => {
    const model = open({
      nodes: [makeNode("NonZero", ["x"], ["y"])],
      inputs: [x],
      outputs: [makeValueInfo("y", "int64", [3, "found"])],
    });
    expect(show(inferShapes(model).typeOf(model.main, "y"))).toBe("int64[3,found]");
  });
});

describe("nested graphs", () => {
  it("of If: what holds in both branches", () => {
    const model = ModelGraph.from(branching());
    const types = inferShapes(model);
    const [thenGraph] = model.main.subgraphs(model.main.nodes[0] as never);
    expect(show(types.typeOf(thenGraph as never, "t"))).toBe("float32[batch,2]");
    expect(show(types.typeOf(model.main, "y"))).toBe("float32[batch,?]");
  });

  it("of If with a constant condition: the branch that runs", () => {
    const model = ModelGraph.from(branching());
    model.main.removeInput("condition");
    model.main.setInitializer("condition", { dtype: "bool", shape: [], data: Uint8Array.of(1) });
    expect(show(inferShapes(model).typeOf(model.main, "y"))).toBe("float32[batch,2]");
  });

  it("of Loop: carried values keep what every round keeps, scanned ones get an axis", () => {
    const body = makeGraph("body", {
      nodes: [
        makeNode("Concat", ["grown", "x"], ["grownNext"], { attributes: { axis: 0 } }),
        makeNode("Add", ["kept", "x"], ["keptNext"]),
        makeNode("Identity", ["more"], ["moreNext"]),
        makeNode("Relu", ["x"], ["row"]),
      ],
      inputs: [
        makeValueInfo("i", "int64", []),
        makeValueInfo("more", "bool", []),
        float("grown"),
        float("kept"),
      ],
      outputs: [makeValueInfo("moreNext", "bool", []), float("grownNext"), float("keptNext"), float("row")],
    });
    const model = open({
      nodes: [makeNode("Loop", ["count", "", "x", "x"], ["a", "b", "rows"], { attributes: { body } })],
      inputs: [makeValueInfo("count", "int64", []), float("x", ["n", 4])],
      outputs: [float("a")],
    });
    const types = inferShapes(model);
    expect(["a", "b", "rows"].map((name) => show(types.typeOf(model.main, name)))).toEqual([
      "float32[?,4]",
      "float32[n,4]",
      "float32[?,n,4]",
    ]);
  });

  it("of Scan: scanned inputs lose their axis, outputs get it back", () => {
    const body = makeGraph("body", {
      nodes: [makeNode("Add", ["state", "step"], ["sum"]), makeNode("Neg", ["sum"], ["each"])],
      inputs: [float("state"), float("step")],
      outputs: [float("sum"), float("each")],
    });
    const model = open({
      nodes: [
        makeNode("Scan", ["start", "x"], ["last", "all"], { attributes: { body, num_scan_inputs: 1 } }),
      ],
      inputs: [float("start", [4]), float("x", ["n", 4])],
      outputs: [float("last")],
    });
    const types = inferShapes(model);
    expect(show(types.typeOf(model.main, "last"))).toBe("float32[4]");
    expect(show(types.typeOf(model.main, "all"))).toBe("float32[n,4]");
  });
});
