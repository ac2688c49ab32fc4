import type { Dimension } from "@nasty/formats/onnx";
import { following, type Value } from "../value.js";
import { type LayerContext, shapeText } from "../layer-context.js";

const operators: Readonly<Record<string, string>> = {
  Add: "Sum",
  Average: "Mean",
  Maximum: "Max",
  Minimum: "Min",
};

/** Values of one shape, element by element. */
export function merge(context: LayerContext, inputs: readonly Value[]): Value {
  context.options();
  const { writer, layer } = context;
  const [first, values] = alike(context, inputs, 0);
  const op = operators[layer.className];
  if (op !== undefined)
    return following(first, writer.op(layer.name, op, values), lengthsOf(context, inputs));
  const product = values.reduce((left, right) => writer.op(layer.name, "Mul", [left, right]));
  return following(first, product, lengthsOf(context, inputs));
}

/** Values side by side along the last axis. */
export function concatenate(context: LayerContext, inputs: readonly Value[]): Value {
  const axis = context.options("axis").single("axis", -1);
  const { writer, layer } = context;
  const rank = inputs[0]?.shape.length ?? 0;
  if (axis !== -1 && axis !== rank - 1) {
    throw context.error("unsupported-option", "axis", `the last (-1 or ${rank - 1})`, String(axis));
  }
  const [first, values] = alike(context, inputs, 1);
  const channels = inputs.reduce<Dimension>((sum, { shape }) => {
    const size = shape.at(-1);
    return typeof sum === "number" && typeof size === "number" ? sum + size : undefined;
  }, 0);
  const output = writer.op(layer.name, "Concat", values, { axis: rank - 1 });
  return following(first, output, {
    shape: [...first.shape.slice(0, -1), channels],
    ...lengthsOf(context, inputs),
  });
}

/** The inputs in the layout of the first; sizes that are known must agree, but for those of the last axes left out. */
function alike(
  context: LayerContext,
  inputs: readonly Value[],
  lastAxes: number,
): [first: Value, values: string[]] {
  const [first, second] = inputs;
  if (first === undefined || second === undefined) {
    throw context.error("invalid-model", "inputs", "2 or more", String(inputs.length));
  }
  const rank = first.shape.length;
  for (const input of inputs) {
    if (input.dtype !== "float32")
      throw context.error("invalid-model", "input: dtype", "float32", input.dtype);
    const differs = input.shape.some((size, axis) => {
      const other = first.shape[axis];
      return (
        axis < rank - lastAxes && typeof size === "number" && typeof other === "number" && size !== other
      );
    });
    if (differs || input.shape.length !== rank) {
      throw context.error(
        "unsupported-option",
        "inputs",
        `shapes like ${shapeText(first)}`,
        shapeText(input),
      );
    }
  }
  return [first, inputs.map((input) => context.writer.inLayout(input, first.layout))];
}

/** The one mask of the inputs; inputs without a mask do not take it away, as in Keras. */
function lengthsOf(context: LayerContext, inputs: readonly Value[]): Partial<Value> {
  const masks = new Set(inputs.flatMap(({ lengths }) => lengths ?? []));
  if (masks.size > 1) {
    throw context.error("unsupported-option", "mask", "one mask for all inputs", `${masks.size} masks`);
  }
  const [lengths] = masks;
  return lengths === undefined ? {} : { lengths };
}
