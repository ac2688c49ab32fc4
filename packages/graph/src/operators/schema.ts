import type { InferRule, SizeRule } from "../inference/rule.js";

/** How many inputs or outputs an operator takes, over operator sets 7 to 25. */
export type Count = number | readonly [min: number, max: number];

/** What is known about one operator. */
export interface OperatorSchema {
  readonly inputs: readonly [min: number, max: number];
  readonly outputs: readonly [min: number, max: number];
  readonly infer: InferRule;
  readonly sizes: SizeRule | undefined;
  /** Inputs that hold scales and zero points, which are not weights of the model. */
  readonly quantization: readonly number[];
}

/** Any number. */
export const many = Number.POSITIVE_INFINITY;

/** One row of the table. */
export function operator(
  inputs: Count,
  outputs: Count,
  infer: InferRule,
  more: { readonly sizes?: SizeRule; readonly quantization?: readonly number[] } = {},
): OperatorSchema {
  return {
    inputs: typeof inputs === "number" ? [inputs, inputs] : inputs,
    outputs: typeof outputs === "number" ? [outputs, outputs] : outputs,
    infer,
    sizes: more.sizes,
    quantization: more.quantization ?? [],
  };
}

/** The row's rule for many operators at once. */
export function all(names: string, schema: OperatorSchema): Record<string, OperatorSchema> {
  return Object.fromEntries(names.split(/\s+/).map((name) => [name, schema]));
}
