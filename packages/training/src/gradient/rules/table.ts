import type { GradientRule } from "../rule.js";
import { activationRules } from "./activation.js";
import { convolutionRules } from "./convolution.js";
import { elementwiseRules } from "./elementwise.js";
import { embeddingRules } from "./embedding.js";
import { matrixRules } from "./matrix.js";
import { normalisationRules } from "./normalisation.js";
import { quantizationRules } from "./quantization.js";
import { recurrentRules } from "./recurrent.js";
import { reductionRules } from "./reduction.js";
import { shapeRules } from "./shape.js";

/** The gradient of every operator that has one, by operator name. */
export const rules: ReadonlyMap<string, GradientRule> = new Map(
  Object.entries({
    ...matrixRules,
    ...elementwiseRules,
    ...activationRules,
    ...reductionRules,
    ...shapeRules,
    ...normalisationRules,
    ...embeddingRules,
    ...convolutionRules,
    ...recurrentRules,
    ...quantizationRules,
  }),
);

/** Operators whose result does not change with small changes of their input, so that no gradient goes through them. */
export const flat: ReadonlySet<string> = new Set([
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

/** Names of the operators that training graphs can be built of, in alphabetical order. */
export const differentiableOperators: readonly string[] = [...rules.keys(), "Dropout"].sort();

/** The rule of a node, or undefined; of the runtime's own operators only Gelu has the standard one's meaning. */
export function ruleOf(opType: string, domain: string): GradientRule | undefined {
  if (domain !== "" && !(domain === "com.microsoft" && opType === "Gelu")) return undefined;
  return rules.get(opType);
}
