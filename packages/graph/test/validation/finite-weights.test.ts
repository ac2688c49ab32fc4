import { type Tensor, tensor } from "@nasty/core";
import { makeNode, makeTensor, type ModelProto, type NodeProto, tensorToProto } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { checkFiniteTensors, checkFiniteWeights } from "../../src/index.js";
import { float, modelOf } from "../small-models.js";

const weight = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor("float32", shape, Float32Array.from(values));
const model = (nodes: NodeProto[], initializers: Readonly<Record<string, Tensor>>): ModelProto =>
  modelOf({
    nodes,
    inputs: [float("x", [2, 2])],
    outputs: [float("y")],
    initializers: Object.entries(initializers).map(([name, values]) => tensorToProto(values, name)),
  });
const product = (initializer: Tensor): ModelProto =>
  model([makeNode("MatMul", ["x", "W"], ["y"])], { W: initializer });

describe("checkFiniteWeights", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "names the tensor with %d",
    (value) => {
      expect(() => checkFiniteWeights(product(weight([1, 2, value, 4], [2, 2])), "open: m.onnx")).toThrow(
        expect.objectContaining({
          code: "not-finite",
          kind: "input",
          fields: { value: "W" },
          message: `open: m.onnx: tensor "W": element 2: expected a finite number, got ${value}; the file is damaged, or its training diverged: take a sound copy or train again`,
        }),
      );
    },
  );

  it("looks at 16-bit and 64-bit numbers too, and at weights behind a cast", () => {
    const half = tensor("float16", [2, 2], Uint16Array.of(0x3c00, 0x7bff, 0, 0xfc00));
    const cast = [
      makeNode("Cast", ["h"], ["W"], { attributes: { to: 1n } }),
      makeNode("MatMul", ["x", "W"], ["y"]),
    ];
    expect(() => checkFiniteWeights(model(cast, { h: half }), "open")).toThrow(
      /"h": element 3: .*got -Infinity/,
    );
    const brain = tensor("bfloat16", [1], Uint16Array.of(0x7fc0));
    expect(() => checkFiniteWeights(product(brain), "open")).toThrow(/element 0: .*got NaN/);
    const double = tensor("float64", [2], Float64Array.of(1, Number.NaN));
    expect(() => checkFiniteWeights(product(double), "open")).toThrow(/element 1/);
    checkFiniteWeights(product(tensor("float16", [1], Uint16Array.of(0x7bff))), "open");
  });

  it("finds one at every place, in halves of words and at odd ends too", () => {
    for (const length of [1, 2, 3, 4096, 4097, 9001]) {
      for (const index of [0, 1, length >> 1, length - 2, length - 1].filter((i) => i >= 0 && i < length)) {
        const half = new Uint16Array(length).fill(0xfbff);
        half[index] = 0x7c00;
        expect(() => checkFiniteWeights(product(tensor("float16", [length], half)), "open")).toThrow(
          `element ${index}: expected a finite number, got Infinity`,
        );
        const single = new Float32Array(length).fill(-3.4028234663852886e38);
        single[index] = Number.NaN;
        expect(() => checkFiniteWeights(product(tensor("float32", [length], single)), "open")).toThrow(
          `element ${index}: expected a finite number, got NaN`,
        );
      }
      checkFiniteWeights(product(tensor("float16", [length], new Uint16Array(length).fill(0xfbff))), "open");
      checkFiniteWeights(product(tensor("bfloat16", [length], new Uint16Array(length).fill(0x7f7f))), "open");
      checkFiniteWeights(product(weight(Array(length).fill(-3.4028234663852886e38))), "open");
    }
  });

  it("leaves masks and bounds alone, whose infinities are meant", () => {
    const infinity = Number.POSITIVE_INFINITY;
    const nodes = [
      makeNode("MatMul", ["x", "x"], ["scores"]),
      makeNode("Add", ["scores", "mask"], ["masked"]),
      makeNode("Clip", ["masked", "least"], ["y"]),
    ];
    const mask = weight([0, -infinity, 0, 0], [2, 2]);
    checkFiniteWeights(model(nodes, { mask, least: weight([-infinity], []) }), "open");
    const damaged = weight([0.5, -infinity, 0, 0], [2, 2]);
    expect(() => checkFiniteWeights(model(nodes, { mask: damaged, least: weight([0], []) }), "open")).toThrow(
      /"mask"/,
    );
  });

  it("knows a weight and a bias by what reads them, whatever their values", () => {
    const infinity = Number.POSITIVE_INFINITY;
    expect(() => checkFiniteWeights(product(weight([0, infinity], [2, 1])), "open")).toThrow(/"W"/);
    const biased = [makeNode("MatMul", ["x", "W"], ["p"]), makeNode("Add", ["p", "b"], ["y"])];
    const parts = { W: weight([1, 1, 1, 1], [2, 2]), b: weight([0, infinity]) };
    expect(() => checkFiniteWeights(model(biased, parts), "open")).toThrow(/"b"/);
    const inNode = makeNode("Constant", [], ["W"], {
      name: "made",
      attributes: { value: makeTensor("", "float32", { values: [0, infinity] }) },
    });
    const constant = model([inNode, makeNode("MatMul", ["x", "W"], ["y"])], {});
    expect(() => checkFiniteWeights(constant, "open")).toThrow(/made/);
  });
});

describe("checkFiniteTensors", () => {
  it("names the tensor of a checkpoint", () => {
    const tensors = new Map([
      ["sound", weight([1])],
      ["broken", weight([0, Number.NaN])],
    ]);
    expect(() => checkFiniteTensors(tensors, "fineTune: model.safetensors")).toThrow(
      'fineTune: model.safetensors: tensor "broken": element 1: expected a finite number, got NaN',
    );
  });
});
