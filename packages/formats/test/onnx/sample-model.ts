import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "../../src/onnx/index.js";

/** y = x · W + b with an If around a large constant: weights above and below the size that is passed on as it is. */
export function sampleModel(size = 64): ModelProto {
  const values = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i));
  const branch = (name: string, factor: number) =>
    makeGraph(name, {
      nodes: [
        makeNode("Constant", [], [`${name}_value`], {
          attributes: {
            value: makeTensor("", "float32", { shape: [size, size], values: values.map((v) => v * factor) }),
          },
        }),
      ],
      outputs: [makeValueInfo(`${name}_value`, "float32", [size, size])],
    });
  const graph = makeGraph("main", {
    nodes: [
      makeNode("MatMul", ["x", "W"], ["product"], { name: "project" }),
      makeNode("Add", ["product", "b"], ["sum"]),
      makeNode("If", ["flag"], ["choice"], {
        attributes: { then_branch: branch("then", 2), else_branch: branch("else", -1) },
      }),
      makeNode("MatMul", ["sum", "choice"], ["y"]),
      makeNode("FusedThing", ["y"], ["z"], {
        domain: "com.example",
        attributes: { alpha: 0.5, axes: [0, 1] },
      }),
    ],
    inputs: [makeValueInfo("x", "float32", ["batch", size]), makeValueInfo("flag", "bool", [])],
    outputs: [makeValueInfo("z", "float32", ["batch", undefined])],
    initializers: [
      makeTensor("W", "float32", { shape: [size, size], values }),
      makeTensor("b", "float32", { values: values.subarray(0, size) }),
      makeTensor("axes", "int64", { values: [-1] }),
    ],
  });
  return makeModel(graph, { opsets: { "": 17, "com.example": 1 }, irVersion: 8 });
}
