import type { InferRule } from "../inference/rule.js";
import { dtypeAttribute } from "./generation.js";
import { operator, type OperatorSchema } from "./schema.js";

const quantize: InferRule = (c) => [
  {
    dtype: c.has(2)
      ? c.dtype(2)
      : c.int("output_dtype", 0) === 0
        ? "uint8"
        : dtypeAttribute(c, "output_dtype"),
    shape: c.shape(0),
  },
];

const dequantize: InferRule = (c) => [
  {
    dtype: c.int("output_dtype", 0) === 0 ? c.dtype(1) : dtypeAttribute(c, "output_dtype"),
    shape: c.shape(0),
  },
];

const dynamic: InferRule = (c) => [
  { dtype: "uint8", shape: c.shape(0) },
  { dtype: "float32", shape: [] },
  { dtype: "uint8", shape: [] },
];

const onQuantized =
  (zeroPoint: number): InferRule =>
  (c) => [{ dtype: c.dtype(zeroPoint), shape: c.shape(0) }];

/** Between real and quantized values. */
export const quantization: Readonly<Record<string, OperatorSchema>> = {
  QuantizeLinear: operator([2, 3], 1, quantize, { quantization: [1, 2] }),
  DequantizeLinear: operator([2, 3], 1, dequantize, { quantization: [1, 2] }),
  DynamicQuantizeLinear: operator(1, 3, dynamic),
};

export const microsoftQuantization: Readonly<Record<string, OperatorSchema>> = {
  QuantizeLinear: operator([2, 3], 1, quantize, { quantization: [1, 2] }),
  DequantizeLinear: operator([2, 3], 1, dequantize, { quantization: [1, 2] }),
  QLinearSigmoid: operator([4, 5], 1, onQuantized(0), { quantization: [1, 2, 3, 4] }),
  QLinearLeakyRelu: operator([4, 5], 1, onQuantized(0), { quantization: [1, 2, 3, 4] }),
  QLinearSoftmax: operator(5, 1, onQuantized(0), { quantization: [1, 2, 3, 4] }),
};
