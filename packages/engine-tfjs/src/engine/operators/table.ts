import type { NodeProto } from "@nasty/formats/onnx";
import { hasStandardMeaning } from "@nasty/graph";
import { activationOperators } from "./activation.js";
import type { Operator } from "./context.js";
import { convolutionOperators } from "./convolution.js";
import { elementwiseOperators } from "./elementwise.js";
import { gatheringOperators } from "./gathering.js";
import { matrixOperators } from "./matrix.js";
import { normalisationOperators } from "./normalisation.js";
import { quantizationOperators } from "./quantization.js";
import { recurrentOperators } from "./recurrent.js";
import { reductionOperators } from "./reduction.js";
import { shapeOperators } from "./shape.js";

/** The implementations by operator name. */
export const operators: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    ...matrixOperators,
    ...elementwiseOperators,
    ...activationOperators,
    ...reductionOperators,
    ...shapeOperators,
    ...normalisationOperators,
    ...gatheringOperators,
    ...convolutionOperators,
    ...recurrentOperators,
    ...quantizationOperators,
  }),
);

/** The implementation of a node's operator, or undefined. */
export function operatorOf(node: Pick<NodeProto, "opType" | "domain">): Operator | undefined {
  return hasStandardMeaning(node) ? operators.get(node.opType) : undefined;
}
