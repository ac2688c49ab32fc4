import type { NodeProto } from "@nasty/formats/onnx";
import type { Operator } from "../plan/operator.js";
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
const domainOf = ({ domain }: NodeProto): string => (domain === "ai.onnx" ? "" : domain);

export const operatorOf = (node: NodeProto): Operator | undefined => {
  const domain = domainOf(node);
  return table.get(domain === "" ? node.opType : `${domain}.${node.opType}`);
};
