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

/** Operators whose result is a whole number or a truth value: no gradient goes through them, and none is taped. */
export const flatOperators: ReadonlySet<string> = new Set([
  "Shape",
  "Size",
  "ConstantOfShape",
  "Range",
  "OneHot",
  "NonZero",
  "ArgMax",
  "ArgMin",
  "Equal",
  "Greater",
  "GreaterOrEqual",
  "Less",
  "LessOrEqual",
  "And",
  "Or",
  "Not",
  "Xor",
  "IsNaN",
  "IsInf",
  "Floor",
  "Ceil",
  "Round",
  "Sign",
]);

/** The implementation of an operator, or undefined; of the runtime's own operators only Gelu has the standard one's meaning. */
export function operatorOf(opType: string, domain: string): Operator | undefined {
  if (domain !== "" && !(domain === "com.microsoft" && opType === "Gelu")) return undefined;
  return operators.get(opType);
}
