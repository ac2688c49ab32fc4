import type { NodeProto } from "@nasty/formats/onnx";
import { type Operator, Refusal } from "../plan/operator.js";
import { blockOperators } from "./blocks.js";
import { convolutionOperators } from "./convolution.js";
import { copyOperators } from "./copies.js";
import { elementwiseOperators } from "./elementwise.js";
import { floatProductOperators } from "./float-products.js";
import { gatherOperators } from "./gather.js";
import { generationOperators } from "./generation.js";
import { integerProductOperators } from "./integer-products.js";
import { lstmOperators } from "./lstm.js";
import { quantizationOperators } from "./quantization.js";
import { reductionOperators } from "./reductions.js";
import { viewOperators } from "./views.js";

/** How many inputs an operator cannot do without, from the first on, where it is not one. */
const leastInputs: Readonly<Record<string, number>> = {
  Constant: 0,
  Reshape: 2,
  Expand: 2,
  Pad: 2,
  Gather: 2,
  CumSum: 2,
  Pow: 2,
  MatMul: 2,
  Gemm: 2,
  MatMulInteger: 2,
  Conv: 2,
  LayerNormalization: 2,
  QuantizeLinear: 2,
  DequantizeLinear: 2,
  Slice: 3,
  Range: 3,
  Where: 3,
  LSTM: 3,
  ...Object.fromEntries(
    ["Add", "Sub", "Mul", "Div", "Min", "Max", "And", "Or", "Xor"].map((name) => [name, 2] as const),
  ),
  ...Object.fromEntries(
    ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].map((name) => [name, 2] as const),
  ),
  "com.microsoft.DynamicQuantizeMatMul": 3,
  "com.microsoft.MatMulNBits": 3,
  "com.microsoft.GatherBlockQuantized": 3,
  "com.microsoft.DynamicQuantizeLSTM": 3,
  "nasty.IntegerProduct": 6,
};

const table = new Map<string, Operator>(
  [
    viewOperators,
    copyOperators,
    elementwiseOperators,
    generationOperators,
    gatherOperators,
    reductionOperators,
    floatProductOperators,
    integerProductOperators,
    blockOperators,
    quantizationOperators,
    convolutionOperators,
    lstmOperators,
  ].flatMap((operators) => Object.entries(operators)),
);

/** ONNX's own domain has two spellings. */
const keyOf = ({ domain, opType }: NodeProto): string =>
  domain === "ai.onnx" || domain === "" ? opType : `${domain}.${opType}`;

/** @throws Refusal for an operator that is not known, and inputs that it cannot do without */
export const operatorOf = (node: NodeProto): Operator => {
  const key = keyOf(node);
  const operator = table.get(key);
  if (operator === undefined) throw new Refusal("no such operator");
  const least = leastInputs[key] ?? 1;
  for (let index = 0; index < least; index++) {
    // The zero points of a product may be left out between its operands and scales.
    const isOptional = key === "nasty.IntegerProduct" && (index === 2 || index === 3);
    if ((node.input[index] ?? "") === "" && !isOptional)
      throw new Refusal(`input ${index}: expected a value, got none`);
  }
  return operator;
};
