import { CompressionError } from "../compression-error.js";
import type { QuantizationMode, QuantizationPlan } from "../plan/plan.js";

/** What applying a plan of each mode is called in messages. */
const operations: { readonly [Mode in QuantizationMode]: string } = {
  dynamic: "dynamic.apply",
  static: "int8.apply",
  int4: "int4.apply",
  "weight-only": "weightOnly.apply",
  mixed: "mixed.apply",
};

export const operationOf = ({ mode }: QuantizationPlan): string => operations[mode];

/**
 * A plan may come from a file: this is one that this version can apply.
 *
 * @throws CompressionError `plan-mismatch` for another schema version or an unknown mode
 */
export function checkedPlan<Plan extends QuantizationPlan>(plan: Plan): Plan {
  const { schemaVersion, mode } = plan;
  const refuse = (what: string, expected: string, got: unknown): never => {
    throw new CompressionError(
      "plan-mismatch",
      `apply: plan: ${what}: expected ${expected}, got ${JSON.stringify(got) ?? "none"}`,
    );
  };
  if (schemaVersion !== 1) refuse("schemaVersion", "1", schemaVersion);
  if (!Object.hasOwn(operations, mode)) refuse("mode", Object.keys(operations).join(", "), mode);
  for (const part of ["tensors", "activations", "keptInFloat", "warnings"] as const)
    if (!Array.isArray(plan[part])) refuse(part, "a list", plan[part]);
  return plan;
}
