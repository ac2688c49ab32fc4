import { elementCount, type Tensor } from "@nasty/core";
import { intAttribute, intsAttribute } from "@nasty/formats/onnx";
import type { Operator } from "../plan/operator.js";
import {
  axisOf,
  checked,
  checkStatic,
  checkType,
  input,
  integersOf,
  onlyAttributes,
  onlyOutputs,
} from "./checks.js";

type Reshaping = (shape: readonly number[], second: Tensor | undefined) => readonly number[];

/** An operator whose result has the elements of its input under another shape. */
const view = (
  attributes: readonly string[],
  reshaping: (open: Parameters<Operator>[0]) => Reshaping,
): Operator => {
  return (open) => {
    onlyAttributes(open, attributes);
    onlyOutputs(open, 1);
    const { dtype } = input(open, 0);
    if (open.inputs.length > 1) checkStatic(open, 1);
    const shapeOf = reshaping(open);
    return {
      outputs: [dtype],
      host: ([x, second]) => [{ ...(x as Tensor), shape: shapeOf((x as Tensor).shape, second) }],
      plan: (planner, [x, second]) => [
        planner.reshaped(
          x as NonNullable<typeof x>,
          shapeOf((x as NonNullable<typeof x>).shape, second?.known),
        ),
      ],
    };
  };
};

const reshape = view(["allowzero"], (open) => {
  const { node } = open;
  checkType(open, 1, ["int64"]);
  const copiesZero = intAttribute(node, "allowzero", 0) === 0;
  return (shape, wanted) => {
    const sizes = integersOf(wanted as Tensor).map((size, axis) =>
      size === 0 && copiesZero ? (shape[axis] ?? -2) : size,
    );
    const open = sizes.indexOf(-1);
    const count = elementCount(shape);
    if (open >= 0)
      sizes[open] = count / sizes.reduce((product, size, k) => (k === open ? product : product * size), 1);
    const isWhole = sizes.every((size) => Number.isInteger(size) && size >= 0);
    if (!isWhole || elementCount(sizes) !== count)
      throw new RangeError(
        `shape: expected one of ${count} elements, got [${integersOf(wanted as Tensor).join(", ")}]`,
      );
    return sizes;
  };
});

const axesOf = (
  open: Parameters<Operator>[0],
): ((second: Tensor | undefined) => readonly number[] | undefined) => {
  const given = open.node.attribute.some(({ name }) => name === "axes")
    ? intsAttribute(open.node, "axes")
    : undefined;
  return (second) => given ?? (second === undefined ? undefined : integersOf(second));
};

const unsqueeze = view(["axes"], (open) => {
  const axes = axesOf(open);
  return (shape, second) => {
    const wanted = axes(second) ?? [];
    const rank = shape.length + wanted.length;
    const added = new Set(wanted.map((axis) => axisOf(axis, rank)));
    if (added.size !== wanted.length)
      throw new RangeError(`axes: expected different ones, got ${wanted.join(", ")}`);
    const sizes = [...shape];
    return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (sizes.shift() as number)));
  };
});

const squeeze = view(["axes"], (open) => {
  const axes = axesOf(open);
  return (shape, second) => {
    const wanted = axes(second)?.map((axis) => axisOf(axis, shape.length));
    if (wanted?.some((axis) => shape[axis] !== 1))
      throw new RangeError(
        `axes: expected ones of size 1, got ${wanted.join(", ")} of [${shape.join(", ")}]`,
      );
    return shape.filter((size, axis) => (wanted === undefined ? size !== 1 : !wanted.includes(axis)));
  };
});

const flatten = view(["axis"], ({ node }) => {
  const axis = intAttribute(node, "axis", 1);
  return (shape) => {
    const at = axis < 0 ? axis + shape.length : axis;
    if (at < 0 || at > shape.length)
      throw new RangeError(`axis: expected at most ${shape.length}, got ${axis}`);
    return [elementCount(shape.slice(0, at)), elementCount(shape.slice(at))];
  };
});

const identity = view([], () => (shape) => shape);

/** Of a model that is run, not trained. */
const dropout: Operator = (open) => {
  const training = open.inputs[2];
  checked(training === undefined || training.constant?.data[0] === 0, "input 2: expected no training mode");
  return view(["seed"], () => (shape) => shape)({ ...open, inputs: open.inputs.slice(0, 1) });
};

export const viewOperators: Readonly<Record<string, Operator>> = {
  Reshape: reshape,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Flatten: flatten,
  Identity: identity,
  Dropout: dropout,
};
