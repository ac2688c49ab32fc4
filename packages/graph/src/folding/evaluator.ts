import type { Tensor } from "@nasty/core";
import type { RuleContext } from "../inference/rule.js";

/**
 * Computes the first output of a node whose given inputs are all constant; undefined where it does not cover the case,
 * and the node then stays.
 *
 * @param shape of the output, if inference knows all of it.
 */
export type Evaluator = (
  inputs: readonly (Tensor | undefined)[],
  context: RuleContext,
  shape: readonly number[] | undefined,
) => Tensor | undefined;
