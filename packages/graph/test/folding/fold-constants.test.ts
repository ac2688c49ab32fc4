import { describe, expect, it } from "vitest";
import {
  type AttributeValue,
  makeNode,
  makeTensor,
  serializeModel,
  type TensorProto,
} from "@nasty/formats/onnx";
import { foldConstants, inferShapes, ModelGraph } from "../../src/index.js";
import { branching, float, ints, modelOf, open } from "../small-models.js";

/** The folded value of one operator on constants, or undefined if it stays. */
const folded = (
  opType: string,
  inputs: readonly TensorProto[],
  attributes: Record<string, AttributeValue> = {},
) => {
  const model = open({
    nodes: [
      makeNode(
        opType,
        inputs.map(({ name }) => name),
        ["folded"],
        { attributes },
      ),
      makeNode("Identity", ["folded"], ["y"]),
    ],
    outputs: [float("y")],
    initializers: inputs,
  });
  foldConstants(model);
  const value = model.main.nodes.length === 1 ? model.main.constant("folded") : undefined;
  return (
    value && {
      dtype: value.dtype,
      shape: value.shape,
      values: Array.from(value.data as Float32Array, Number),
    }
  );
};

const matrix = makeTensor("m", "float32", { values: [1, 2, 3, 4, 5, 6], shape: [2, 3] });
const int = (name: string, ...values: number[]) => ints(name, ...values);

describe("what is folded", () => {
  it.each([
    ["Transpose", [matrix], {}, [3, 2], [1, 4, 2, 5, 3, 6]],
    ["Reshape", [matrix, int("s", 3, -1)], {}, [3, 2], [1, 2, 3, 4, 5, 6]],
    ["Unsqueeze", [matrix, int("a", 0)], {}, [1, 2, 3], [1, 2, 3, 4, 5, 6]],
    [
      "Slice",
      [matrix, int("s", 2), int("e", -100), int("a", 1), int("t", -1)],
      {},
      [2, 3],
      [3, 2, 1, 6, 5, 4],
    ],
    ["Gather", [matrix, int("i", -1, 0)], { axis: 1 }, [2, 2], [3, 1, 6, 4]],
    [
      "Concat",
      [matrix, makeTensor("n", "float32", { values: [7, 8], shape: [2, 1] })],
      { axis: 1 },
      [2, 4],
      [1, 2, 3, 7, 4, 5, 6, 8],
    ],
    [
      "Expand",
      [makeTensor("e", "float32", { values: [1, 2], shape: [2, 1] }), int("s", 2, 2)],
      {},
      [2, 2],
      [1, 1, 2, 2],
    ],
    [
      "Mul",
      [matrix, makeTensor("f", "float32", { values: [0.1] })],
      {},
      [2, 3],
      [1, 2, 3, 4, 5, 6].map((v) => Math.fround(v * Math.fround(0.1))),
    ],
    ["Cast", [makeTensor("c", "float32", { values: [1.9, -1.9] })], { to: 7 }, [2], [1, -1]],
    ["Div", [int("a", -7, 7), int("b", 2)], {}, [2], [-3, 3]],
    ["Where", [makeTensor("w", "bool", { values: [1, 0] }), int("a", 1), int("b", 2)], {}, [2], [1, 2]],
  ] as const)("%s", (opType, inputs, attributes, shape, values) => {
    expect(
      folded(opType, inputs as readonly TensorProto[], attributes as Record<string, AttributeValue>),
    ).toMatchObject({ shape, values });
  });

  it("not an integer division by zero, nor an index outside", () => {
    expect(folded("Div", [int("a", 1), int("b", 0)])).toBeUndefined();
    expect(folded("Gather", [matrix, int("i", 9)])).toBeUndefined();
  });

  it("wraps integers as 64-bit arithmetic does", () => {
    const most = makeTensor("a", "int64", { values: [2n ** 63n - 1n] });
    const model = open({
      nodes: [makeNode("Add", ["a", "b"], ["sum"]), makeNode("Identity", ["sum"], ["y"])],
      outputs: [float("y")],
      initializers: [most, int("b", 1)],
    });
    foldConstants(model);
    expect(model.main.constant("sum")?.data[0]).toBe(-(2n ** 63n));
  });

  it("a chain from a weight, leaving one tensor in the place of all", () => {
    const model = open({
      nodes: [
        makeNode("Transpose", ["m"], ["t"]),
        makeNode("Identity", ["t"], ["u"]),
        makeNode("Cast", ["u"], ["w"], { attributes: { to: 1 } }),
        makeNode("MatMul", ["x", "w"], ["y"]),
      ],
      inputs: [float("x", ["n", 3])],
      outputs: [float("y")],
      initializers: [matrix],
    });
    expect(foldConstants(model)).toBe(3);
    expect(model.main.nodes.map(({ opType }) => opType)).toEqual(["MatMul"]);
    expect([...model.main.initializers.keys()]).toEqual(["w"]);
    expect(model.main.constant("w")?.shape).toEqual([3, 2]);
  });

  it("a shape that no feed changes, though the value it is of is fed", () => {
    const model = open({
      nodes: [
        makeNode("Shape", ["x"], ["shape"]),
        makeNode("Gather", ["shape", "one"], ["width"]),
        makeNode("Cast", ["width"], ["real"], { attributes: { to: 1 } }),
        makeNode("Div", ["x", "real"], ["y"]),
      ],
      inputs: [float("x", ["n", 8])],
      outputs: [float("y")],
      initializers: [makeTensor("one", "int64", { values: [1], shape: [] })],
    });
    foldConstants(model);
    expect(model.main.nodes.map(({ opType }) => opType)).toEqual(["Div"]);
    expect(Array.from(model.main.constant("real")?.data as Float32Array)).toEqual([8]);
  });

  it("inside nested graphs", () => {
    const model = ModelGraph.from(branching());
    const [thenGraph] = model.main.subgraphs(model.main.nodes[0] as never);
    const inner = thenGraph?.nodes[0];
    thenGraph?.addNode({ opType: "Neg", inputs: ["W"], outputs: ["minusW"] }, { before: inner as never });
    thenGraph?.setInput(inner as never, 1, "minusW");
    expect(foldConstants(model)).toBe(1);
    expect(thenGraph?.initializers.has("minusW")).toBe(true);
    expect(model.main.initializers.has("W")).toBe(false);
    expect(inferShapes(model).typeOf(thenGraph as never, "t")?.shape).toEqual(["batch", 2]);
  });
});

describe("what stays", () => {
  it("nodes that compute a graph output, and initializers that may be fed", () => {
    const output = open({
      nodes: [makeNode("Neg", ["m"], ["y"])],
      outputs: [float("y")],
      initializers: [matrix],
    });
    expect(foldConstants(output)).toBe(0);
    const fed = open({
      nodes: [makeNode("Neg", ["m"], ["n"]), makeNode("Neg", ["n"], ["y"])],
      inputs: [float("m", [2, 3])],
      outputs: [float("y")],
      initializers: [matrix],
    });
    expect(foldConstants(fed)).toBe(0);
  });

  it("large results whose source stays in the file anyway", () => {
    const tied = () =>
      open({
        nodes: [
          makeNode("Gather", ["m", "i"], ["g"]),
          makeNode("Transpose", ["m"], ["t"]),
          makeNode("MatMul", ["g", "t"], ["y"]),
        ],
        inputs: [float("i", [1])],
        outputs: [float("y")],
        initializers: [matrix],
      });
    expect(foldConstants(tied(), { limitBytes: 8 })).toBe(0);
    expect(foldConstants(tied())).toBe(1);
    const alone = tied();
    alone.main.setInput(alone.main.nodes[0] as never, 0, "i");
    expect(foldConstants(alone, { limitBytes: 8 })).toBe(1);
  });

  it("a model in which nothing is constant, byte for byte", () => {
    const source = modelOf({
      nodes: [makeNode("Relu", ["x"], ["y"])],
      inputs: [float("x", ["n"])],
      outputs: [float("y", ["n"])],
    });
    const model = ModelGraph.from(source);
    expect(foldConstants(model)).toBe(0);
    expect(serializeModel(model.toModel())).toEqual(serializeModel(source));
  });
});

describe("copies of constants", () => {
  it("read the constant itself, stored once", () => {
    const model = open({
      nodes: [
        makeNode("Identity", ["m"], ["copy"]),
        makeNode("MatMul", ["x", "copy"], ["a"]),
        makeNode("MatMul", ["x", "m"], ["b"]),
        makeNode("Add", ["a", "b"], ["y"]),
      ],
      inputs: [float("x", ["n", 2])],
      outputs: [float("y")],
      initializers: [matrix],
    });
    expect(foldConstants(model)).toBe(1);
    expect([...model.main.initializers.keys()]).toEqual(["m"]);
    expect(model.main.consumers("m")).toHaveLength(2);
  });
});
