import type { NodeProto } from "@nasty/formats/onnx";
import { hasStandardMeaning } from "@nasty/graph";
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

/** Names of the operators that training graphs can be built of, in alphabetical order. */
export const differentiableOperators: readonly string[] = [...rules.keys(), "Dropout"].sort();

/** The rule of a node, or undefined. */
export function ruleOf(node: Pick<NodeProto, "opType" | "domain">): GradientRule | undefined {
  return hasStandardMeaning(node) ? rules.get(node.opType) : undefined;
}
