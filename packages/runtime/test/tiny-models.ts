import { type DType, type Tensor, tensor } from "@nasty/core";
import {
  type ModelProto,
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type NodeProto,
  serializeModel,
  type TensorProto,
} from "@nasty/formats/onnx";

export const float = (shape: readonly number[], values: readonly number[]): Tensor =>
  tensor("float32", shape, Float32Array.from(values));

/** x float32 [batch, inputs] through given nodes to y. */
export const modelOf = (
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[],
  { inputs = 4, outputs = 3 }: { readonly inputs?: number; readonly outputs?: number } = {},
): ModelProto =>
  makeModel(
    makeGraph("tiny", {
      nodes,
      inputs: [makeValueInfo("x", "float32", ["batch", inputs])],
      outputs: [makeValueInfo("y", "float32", ["batch", outputs])],
      initializers,
    }),
    { opsets: { "": 17, "com.microsoft": 1 }, irVersion: 8 },
  );

/** Weights that are easy to follow: W[i, j] = (i − j) / 4. */
export const weight = (name: string, rows: number, columns: number): TensorProto =>
  makeTensor(name, "float32", {
    values: Array.from(
      { length: rows * columns },
      (_, at) => (Math.floor(at / columns) - (at % columns)) / 4,
    ),
    shape: [rows, columns],
  });

/** y = x · W with W [4, 3]. */
export const linearModel = (): ModelProto =>
  modelOf([makeNode("MatMul", ["x", "W"], ["y"], { name: "dense" })], [weight("W", 4, 3)]);

export const bytesOf = (model: ModelProto): Uint8Array => serializeModel(model);

/** y = x for one dtype. */
export const identityModel = (dtype: DType): ModelProto =>
  makeModel(
    makeGraph("identity", {
      nodes: [makeNode("Identity", ["x"], ["y"])],
      inputs: [makeValueInfo("x", dtype, ["n"])],
      outputs: [makeValueInfo("y", dtype, ["n"])],
    }),
    { opsets: { "": 21 } },
  );

/**
 * x · W quantized dynamically, as the dynamic quantizer writes it: DynamicQuantizeLinear, MatMulInteger, Cast, Mul.
 *
 * @param shared further products of the same quantized input
 */
export const dynamicNodes = (prefix: string, input: string, output: string): NodeProto[] => [
  makeNode("DynamicQuantizeLinear", [input], [`${prefix}q`, `${prefix}s`, `${prefix}z`]),
  ...dynamicProduct(prefix, prefix, output),
];

export const dynamicProduct = (prefix: string, quantized: string, output: string): NodeProto[] => [
  makeNode("MatMulInteger", [`${quantized}q`, `${prefix}W`, `${quantized}z`, `${prefix}Wz`], [`${prefix}i`], {
    name: `${prefix}dense`,
  }),
  makeNode("Cast", [`${prefix}i`], [`${prefix}f`], { attributes: { to: 1 } }),
  makeNode("Mul", [`${quantized}s`, `${prefix}Ws`], [`${prefix}k`]),
  makeNode("Mul", [`${prefix}f`, `${prefix}k`], [output]),
];

export const dynamicWeights = (prefix: string, rows: number, columns: number): TensorProto[] => [
  makeTensor(`${prefix}W`, "int8", {
    values: Array.from({ length: rows * columns }, (_, at) => (at % 17) - 8),
    shape: [rows, columns],
  }),
  makeTensor(`${prefix}Ws`, "float32", { values: Array.from({ length: columns }, () => 0.05) }),
  makeTensor(`${prefix}Wz`, "int8", { values: Array.from({ length: columns }, () => 0) }),
];
