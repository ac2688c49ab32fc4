import { describe, expect, it } from "vitest";
import { makeGraph, makeNode, makeTensor, type TensorProto } from "@nasty/formats/onnx";
import { foldIntoConvolutions, type ModelGraph } from "../../src/index.js";
import { float, open } from "../small-models.js";

type Node = ReturnType<typeof makeNode>;

const vector = (name: string, ...values: number[]) => makeTensor(name, "float32", { values });
const scalar = (name: string, value: number) => makeTensor(name, "float32", { shape: [], values: [value] });
const conv = makeNode("Conv", ["x", "W", "b"], ["c"], { name: "conv" });
const own = [makeTensor("W", "float32", { shape: [2, 1, 2], values: [1, 2, 3, 4] }), vector("b", 10, 20)];
const statistics = [vector("g", 2, 3), vector("B", 1, -1), vector("mean", 4, 5), vector("var", 4, 1)];
const normalization = (options: Parameters<typeof makeNode>[3] = {}) =>
  makeNode("BatchNormalization", ["c", "g", "B", "mean", "var"], ["y"], {
    ...options,
    attributes: { epsilon: { kind: "float", value: 0 }, ...options.attributes },
  });

const made = (nodes: readonly Node[], initializers: readonly TensorProto[] = [], outputs = ["y"]) =>
  open({
    nodes: [...nodes],
    inputs: [float("x", [1, 1, 5])],
    outputs: outputs.map((name) => float(name)),
    initializers: [...own, ...initializers],
  });

const valuesOf = ({ main }: ModelGraph, index: number): number[] => {
  const name = main.nodes[0]?.input[index] ?? "";
  return [...((main.constant(name)?.data ?? []) as Float32Array)];
};
const opsOf = ({ main }: ModelGraph) => main.nodes.map(({ opType }) => opType);

describe("foldIntoConvolutions", () => {
  it("takes a normalization into weight and bias: W·f, (b − mean)·f + B", () => {
    const model = made([conv, normalization()], statistics);
    expect(foldIntoConvolutions(model)).toBe(1);
    expect(opsOf(model)).toEqual(["Conv"]);
    // f = [2 / √4, 3 / √1]
    expect(valuesOf(model, 1)).toEqual([1, 2, 9, 12]);
    expect(valuesOf(model, 2)).toEqual([10 - 4 + 1, (20 - 5) * 3 - 1]);
    expect(model.main.nodes[0]).toMatchObject({ name: "conv", output: ["y"] });
    expect([...model.main.initializers.keys()]).toEqual(["W", "b"]);
  });

  it("gives a convolution without a bias one, and adds the normalization's epsilon", () => {
    const bare = makeNode("Conv", ["x", "W"], ["c"], { name: "conv" });
    const model = made(
      [bare, normalization({ attributes: { epsilon: { kind: "float", value: 3 } } })],
      [...statistics.slice(0, 3), vector("var", 1, 6)],
    );
    expect(foldIntoConvolutions(model)).toBe(1);
    expect(valuesOf(model, 1)).toEqual([1, 2, 3, 4]);
    expect(valuesOf(model, 2)).toEqual([0 - 4 + 1, 0 - 5 - 1]);
  });

  it("takes constants, one for all channels or one a channel, on either side, one node after the other", () => {
    const model = made(
      [
        conv,
        makeNode("Mul", ["two", "c"], ["d"]),
        makeNode("Add", ["d", "column"], ["e"]),
        makeNode("Relu", ["e"], ["y"]),
      ],
      [scalar("two", 2), makeTensor("column", "float32", { shape: [1, 2, 1], values: [1, -1] })],
    );
    expect(foldIntoConvolutions(model)).toBe(2);
    expect(opsOf(model)).toEqual(["Conv", "Relu"]);
    expect(valuesOf(model, 1)).toEqual([2, 4, 6, 8]);
    expect(valuesOf(model, 2)).toEqual([21, 39]);
  });

  it("leaves a weight that others read too as it is for them", () => {
    const model = made([conv, makeNode("Conv", ["x", "W", "b"], ["z"]), normalization()], statistics, [
      "y",
      "z",
    ]);
    expect(foldIntoConvolutions(model)).toBe(1);
    const other = model.main.nodes[1];
    expect([...((model.main.constant(other?.input[1] ?? "")?.data ?? []) as Float32Array)]).toEqual([
      1, 2, 3, 4,
    ]);
    expect(valuesOf(model, 1)).toEqual([1, 2, 9, 12]);
  });

  it("works in the bodies of control flow", () => {
    const body = () => makeGraph("body", { nodes: [conv, normalization()], outputs: [float("y")] });
    const model = open({
      nodes: [
        makeNode("If", ["k"], ["r"], {
          name: "if",
          attributes: { then_branch: body(), else_branch: body() },
        }),
      ],
      inputs: [float("x", [1, 1, 5]), float("k", [])],
      outputs: [float("r")],
      initializers: [...own, ...statistics],
    });
    expect(foldIntoConvolutions(model)).toBe(2);
    for (const graph of model.allGraphs().slice(1))
      expect(graph.nodes.map(({ opType }) => opType)).toEqual(["Conv"]);
  });

  it.each<[string, readonly Node[], (readonly TensorProto[])?, string[]?]>([
    ["a value that the model returns", [conv, normalization()], statistics, ["c", "y"]],
    [
      "a value that two read",
      [conv, normalization(), makeNode("Relu", ["c"], ["z"])],
      statistics,
      ["y", "z"],
    ],
    [
      "a normalization of a training step",
      [conv, normalization({ attributes: { training_mode: 1 } })],
      statistics,
    ],
    [
      "statistics that are computed",
      [conv, normalization(), makeNode("Relu", ["g0"], ["g"])],
      [...statistics.slice(1), vector("g0", 1, 1)],
    ],
    [
      "a weight that is computed",
      [makeNode("Relu", ["V"], ["W2"]), makeNode("Conv", ["x", "W2"], ["c"]), normalization()],
      [...statistics, makeTensor("V", "float32", { shape: [2, 1, 2], values: [1, 2, 3, 4] })],
    ],
    [
      "constants along another axis",
      [conv, makeNode("Mul", ["c", "row"], ["y"])],
      [vector("row", 1, 2, 3, 4)],
    ],
    [
      "constants that add an axis",
      [conv, makeNode("Mul", ["c", "row"], ["y"])],
      [makeTensor("row", "float32", { shape: [1, 1, 2, 1], values: [1, 2] })],
    ],
    ["a square", [conv, makeNode("Mul", ["c", "c"], ["y"])]],
    [
      "statistics that leave no finite weight",
      [conv, normalization()],
      [...statistics.slice(0, 3), vector("var", 0, 1)],
    ],
  ])("leaves %s alone", (_, nodes, initializers = [], outputs = ["y"]) => {
    const model = made(nodes, initializers, outputs);
    const before = opsOf(model);
    expect(foldIntoConvolutions(model)).toBe(0);
    expect(opsOf(model)).toEqual(before);
  });
});
