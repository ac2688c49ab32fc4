import type { DType } from "@nasty/core";
import { cast } from "@nasty/core";
import {
  makeFunction,
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
  serializeModel,
  tensorFromProto,
  tensorToProto,
} from "@nasty/formats/onnx";

const weight = (name: string, seed: number) =>
  makeTensor(name, "float32", {
    values: Array.from({ length: 256 }, (_, i) => Math.sin((i + 1) * seed * 12.9898)),
    shape: [16, 16],
  });

/** x [batch, 16] float32 → a product in `dtype` → y float32. */
export function halfInside(dtype: DType): Uint8Array {
  const to = dtype === "float16" ? 10 : 16;
  const stored = tensorToProto(cast(tensorFromProto(weight("W", 1)), dtype), "W");
  const graph = makeGraph("half", {
    nodes: [
      makeNode("Cast", ["x"], ["h"], { name: "narrow", attributes: { to } }),
      makeNode("MatMul", ["h", "W"], ["p"], { name: "dense" }),
      makeNode("Cast", ["p"], ["y"], { name: "wide", attributes: { to: 1 } }),
    ],
    inputs: [makeValueInfo("x", "float32", ["batch", 16])],
    outputs: [makeValueInfo("y", "float32", ["batch", 16])],
    initializers: [stored],
  });
  return serializeModel(makeModel(graph, { opsets: { "": 17 }, irVersion: 8 }));
}

/**
 * Two calls of a function with a weight in it; with `levels`, a function that calls the one before twice, so many times
 * over.
 */
export function withFunctions(levels = 0): Uint8Array {
  const domain = "pkg.torch";
  const bodies = Array.from({ length: levels + 1 }, (_, level) =>
    makeFunction(domain, `Layer${level}`, {
      inputs: ["x"],
      outputs: ["y"],
      opsets: { "": 17, [domain]: 1 },
      nodes:
        level === 0
          ? [
              makeNode("Constant", [], ["W"], { attributes: { value: weight("", 2) } }),
              makeNode("MatMul", ["x", "W"], ["y"], { name: "dense" }),
            ]
          : [
              makeNode(`Layer${level - 1}`, ["x"], ["h"], { domain }),
              makeNode(`Layer${level - 1}`, ["h"], ["y"], { domain }),
            ],
    }),
  );
  const graph = makeGraph("functions", {
    nodes: [
      makeNode(`Layer${levels}`, ["x"], ["h"], { domain, name: "first" }),
      makeNode(`Layer${levels}`, ["h"], ["y"], { domain, name: "second" }),
    ],
    inputs: [makeValueInfo("x", "float32", ["batch", 16])],
    outputs: [makeValueInfo("y", "float32", ["batch", 16])],
  });
  const model: ModelProto = makeModel(graph, { opsets: { "": 17, [domain]: 1 }, irVersion: 10 });
  model.functions.push(...bodies);
  return serializeModel(model);
}

/** A product of operator set 4: its sizes are an attribute of Reshape. */
export function oldModel(): Uint8Array {
  const graph = makeGraph("old", {
    nodes: [
      makeNode("Reshape", ["x"], ["rows"], { name: "rows", attributes: { shape: [-1, 16] } }),
      makeNode("MatMul", ["rows", "W"], ["y"], { name: "dense" }),
    ],
    inputs: [makeValueInfo("x", "float32", ["batch", 16]), makeValueInfo("W", "float32", [16, 16])],
    outputs: [makeValueInfo("y", "float32", ["batch", 16])],
    initializers: [weight("W", 3)],
  });
  return serializeModel(makeModel(graph, { opsets: { "": 4 }, irVersion: 3 }));
}
