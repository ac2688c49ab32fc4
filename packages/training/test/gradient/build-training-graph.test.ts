import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
  serializeModel,
} from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { buildTrainingGraph, type TrainingGraphOptions } from "../../src/index.js";

function linear(nodes: readonly ReturnType<typeof makeNode>[], opset = 21): ModelProto {
  const weight = (name: string, shape: readonly number[]) =>
    makeTensor(name, "float32", {
      shape,
      values: Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i / 7),
    });
  const graph = makeGraph("linear", {
    nodes: [makeNode("MatMul", ["x", "A"], ["h"], { name: "first" }), ...nodes],
    inputs: [makeValueInfo("x", "float32", ["batch", 3])],
    outputs: [makeValueInfo("y", "float32", ["batch", 2])],
    initializers: [
      weight("A", [3, 4]),
      weight("B", [4, 2]),
      weight("unused", [5]),
      makeTensor("index", "int64", { values: [0, 1] }),
    ],
  });
  return makeModel(graph, { opsets: { "": opset } });
}
const second = makeNode("MatMul", ["h", "B"], ["y"], { name: "second" });
const loss = { kind: "mse", prediction: "y", target: "t" } as const;
const build = (model: ModelProto, options: Partial<TrainingGraphOptions> = {}) =>
  buildTrainingGraph(model, { loss, ...options });
const operators = (model: ModelProto): string[] => (model.graph?.node ?? []).map(({ opType }) => opType);

describe("buildTrainingGraph", () => {
  it("leaves the caller's model as it was and gives the same bytes twice", () => {
    const model = linear([second]);
    const before = serializeModel(model);
    const [a, b] = [build(model), build(model)];
    expect(serializeModel(model)).toEqual(before);
    expect(serializeModel(a.model)).toEqual(serializeModel(b.model));
  });
  it("trains all that the loss depends on unless told otherwise", () => {
    expect(build(linear([second])).weights.map(({ name }) => name)).toEqual(["A", "B"]);
    expect(build(linear([second]), { trainable: ["B"] }).weights.map(({ name }) => name)).toEqual(["B"]);
  });
  it("computes only what the trained weights need", () => {
    const count = (trainable: string[]): number =>
      operators(build(linear([second]), { trainable }).model).filter((op) => op.endsWith("MatMul")).length;
    expect(count(["B"])).toBe(3); // two forward, one gradient
    expect(count(["A", "B"])).toBe(5);
    expect(count(["A"])).toBe(4);
  });
  it("accepts the forms of older operator sets", () => {
    const mean = makeNode("ReduceMean", ["h"], ["m"], { attributes: { axes: [1], keepdims: 1 } });
    const model = linear(
      [mean, makeNode("Sub", ["h", "m"], ["c"]), makeNode("MatMul", ["c", "B"], ["y"])],
      11,
    );
    const lifted = build(model).model;
    expect(Number(lifted.opsetImport.find(({ domain }) => domain === "")?.version)).toBe(21);
    expect(lifted.graph?.node.find(({ opType }) => opType === "ReduceMean")?.input).toHaveLength(2);
  });
  it("sums the gradients of a weight that is used twice", () => {
    const model = linear([second, makeNode("MatMul", ["h", "B"], ["y2"])]);
    const twice = build(model, { loss: [loss, { ...loss, prediction: "y2" }], trainable: ["B"] });
    expect(twice.weights).toHaveLength(1);
    expect(twice.weights[0]).toMatchObject({ name: "B", shape: [4, 2], dense: "gradient/B", rows: [] });
    expect(operators(twice.model)).toContain("Add");
  });

  const refusals: readonly (readonly [string, ModelProto, Partial<TrainingGraphOptions>, string, string])[] =
    [
      [
        "an operator without a rule",
        linear([
          makeNode("CumSum", ["h", "index"], ["c"], { name: "running" }),
          makeNode("MatMul", ["c", "B"], ["y"]),
        ]),
        {},
        "unsupported-operator",
        'buildTrainingGraph: node "running": operator: expected one with a gradient rule, got CumSum',
      ],
      [
        "an operator of another domain",
        linear([
          makeNode("FastGelu", ["h"], ["c"], { name: "fast", domain: "com.microsoft" }),
          makeNode("MatMul", ["c", "B"], ["y"]),
        ]),
        {},
        "unsupported-operator",
        'buildTrainingGraph: node "fast": operator: expected one with a gradient rule, got com.microsoft.FastGelu',
      ],
      [
        "a pattern without a match",
        linear([second]),
        { trainable: ["C*"] },
        "no-match",
        "buildTrainingGraph: trainable: pattern C*: expected an initializer that the loss depends on, got none of 2",
      ],
      [
        "a loss of an unknown tensor",
        linear([second]),
        { loss: { ...loss, prediction: "z" } },
        "unknown-tensor",
        'buildTrainingGraph: tensor "z": expected a value of the graph, got none of that name',
      ],
      [
        "an operator set that is too new",
        linear([second], 26),
        {},
        "unsupported-opset",
        "buildTrainingGraph: model: operator set: expected 1 to 25, got 26",
      ],
      [
        "no loss",
        linear([second]),
        { loss: [] },
        "invalid-option",
        "buildTrainingGraph: loss: expected at least one, got none",
      ],
      [
        "weights cut off from the loss",
        linear([makeNode("Round", ["h"], ["r"]), makeNode("MatMul", ["r", "B"], ["y"])]),
        { trainable: ["A"] },
        "no-gradient",
        'buildTrainingGraph: weight "A": gradient: expected the loss to depend on it, got no path',
      ],
    ];
  for (const [name, model, options, code, message] of refusals) {
    it(`refuses ${name}`, () => {
      expect(() => build(model, options)).toThrow(expect.objectContaining({ code, message, kind: "input" }));
    });
  }
  it("does not refuse an unsupported operator that no gradient passes", () => {
    const model = linear([second, makeNode("CumSum", ["x", "axis"], ["other"])]);
    expect(() => build(model)).not.toThrow();
    const beside = linear([
      makeNode("HardSwish", ["x"], ["s"]),
      makeNode("MatMul", ["s", "A"], ["g"]),
      makeNode("Add", ["h", "g"], ["k"]),
      makeNode("MatMul", ["k", "B"], ["y"]),
    ]);
    expect(() => build(beside)).not.toThrow();
  });
});
