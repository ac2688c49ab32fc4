import { activate, activationOf } from "../activations.js";
import { following, type Value } from "../value.js";
import { checkLastAxis, type LayerContext, onlyInput } from "../layer-context.js";

/** What does something only while training. */
export function passing(context: LayerContext, inputs: readonly Value[]): Value {
  context.options("rate", "stddev", "l1", "l2");
  return onlyInput(context, inputs);
}

export function activation(context: LayerContext, inputs: readonly Value[]): Value {
  const name = activationOf(context.options("activation"));
  return activate(context, name, onlyInput(context, inputs));
}

export function relu(context: LayerContext, inputs: readonly Value[]): Value {
  const options = context.options("max_value", "negative_slope", "threshold");
  options.only("negative_slope", 0, "0");
  options.only("threshold", 0, "0");
  const { writer, layer } = context;
  const input = onlyInput(context, inputs);
  const most = options.number("max_value", Number.MAX_VALUE);
  const output =
    most === Number.MAX_VALUE
      ? writer.op(layer.name, "Relu", [input.name])
      : writer.op(layer.name, "Clip", [
          input.name,
          writer.scalar("float32", 0),
          writer.scalar("float32", most),
        ]);
  return following(input, output);
}

/** An operator with one parameter: `key` in TensorFlow, alpha in ONNX. */
const withAlpha =
  (op: string, key: string, otherwise: number) =>
  (context: LayerContext, inputs: readonly Value[]): Value => {
    const value = context.options(key).number(key, otherwise);
    const input = onlyInput(context, inputs);
    const attributes = { alpha: { kind: "float", value } } as const;
    return following(input, context.writer.op(context.layer.name, op, [input.name], attributes));
  };

export const leakyRelu = withAlpha("LeakyRelu", "alpha", 0.3);
export const elu = withAlpha("Elu", "alpha", 1);
export const thresholdedRelu = withAlpha("ThresholdedRelu", "theta", 1);

/** Softmax over labels; the layer's own default axis in TensorFlow.js is 1, so the option is always written. */
export function softmax(context: LayerContext, inputs: readonly Value[]): Value {
  const options = context.options("axis");
  const input = onlyInput(context, inputs);
  if (input.lengths !== undefined) {
    throw context.error("unsupported-option", "mask", "no masked input", "a mask of mask_zero or Masking");
  }
  checkLastAxis(context, input, "axis", options.single("axis", 1));
  const attributes = { axis: -1 };
  return following(input, context.writer.op(context.layer.name, "Softmax", [input.name], attributes), {
    activation: "softmax",
  });
}
