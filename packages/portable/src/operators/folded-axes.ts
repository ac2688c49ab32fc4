import type { Tensor } from "@nasty/core";
import { intAttribute, intsAttribute } from "@nasty/formats/onnx";
import type { OpenNode } from "../plan/operator.js";
import { axisOf, checkStatic, input, integersOf, onlyAttributes } from "./checks.js";

/** What a reduction does to a shape. */
export interface FoldedAxes {
  /** From the front; none where nothing is folded. */
  readonly axes: readonly number[];
  /** Of the result. */
  readonly shape: readonly number[];
}

/**
 * How a reduction folds the axes of its first input, which its attribute or its second input names.
 *
 * @returns a function of the first input's shape and the second input, where there is one
 */
export const foldedAxesOf = (
  open: OpenNode,
): ((shape: readonly number[], named: Tensor | undefined) => FoldedAxes) => {
  onlyAttributes(open, ["axes", "keepdims", "noop_with_empty_axes"]);
  checkStatic(open, 1);
  input(open, 0);
  const keeps = intAttribute(open.node, "keepdims", 1) === 1;
  const isNoop = intAttribute(open.node, "noop_with_empty_axes", 0) === 1;
  const attribute = intsAttribute(open.node, "axes");
  return (shape, named) => {
    const wanted = attribute ?? (named === undefined ? [] : integersOf(named));
    if (wanted.length === 0 && isNoop) return { axes: [], shape };
    const axes =
      wanted.length === 0 ? shape.map((_, axis) => axis) : wanted.map((one) => axisOf(one, shape.length));
    return {
      axes: [...new Set(axes)],
      shape: shape.flatMap((size, axis) => (axes.includes(axis) ? (keeps ? [1] : []) : [size])),
    };
  };
};
