import { activate, activationOf } from "../activations.js";
import type { Value } from "../value.js";
import { channelsOf, type LayerContext, onlyInput } from "../layer-context.js";

/** A convolution along time; the kernel [size, in, out] becomes [out, in, size]. */
export function conv1d(context: LayerContext, inputs: readonly Value[]): Value {
  const options = context.options(
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "dilation_rate",
    "activation",
    "use_bias",
    "data_format",
    "groups",
    "rank",
  );
  options.only("data_format", "channels_last", "channels_last");
  options.only("groups", 1, "1");
  const { writer, weights, scope, layer } = context;
  const input = onlyInput(context, inputs, [3, 3]);
  if (input.lengths !== undefined) {
    throw context.error(
      "unsupported-option",
      "mask",
      "no masked input (a convolution reads what is masked)",
      "a mask of mask_zero or Masking",
    );
  }
  context.mixesTime(false);
  const [filters, channels] = [options.count("filters"), channelsOf(context, input)];
  const size = options.single("kernel_size", Number.NaN);
  const stride = options.single("strides", 1);
  const dilation = options.single("dilation_rate", 1);
  for (const [key, value] of Object.entries({
    kernel_size: size,
    strides: stride,
    dilation_rate: dilation,
  })) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw options.unsupported(key, "a whole number of 1 or more");
  }
  const reach = (size - 1) * dilation;
  const padding = options.text("padding", "valid");
  const pads = paddings(padding, reach, stride);
  if (pads === undefined) throw options.unsupported("padding", "valid, same or causal");
  const activation = activationOf(options);
  const hasBias = options.flag("use_bias", true);
  const W = writer.weight(`${scope}/kernel`, [filters, channels, size], () =>
    outputsFirst(weights.take(scope, "kernel", [size, channels, filters]), { size, channels, filters }),
  );
  const b = hasBias
    ? [writer.weight(`${scope}/bias`, [filters], () => weights.take(scope, "bias", [filters]))]
    : [];
  const perm = input.layout === "batch-first" ? [0, 2, 1] : [1, 2, 0];
  const x = writer.op(`${layer.name}/channels`, "Transpose", [input.name], { perm });
  const y = writer.op(layer.name, "Conv", [x, W, ...b], {
    kernel_shape: [size],
    strides: [stride],
    dilations: [dilation],
    ...pads,
  });
  const output = writer.op(`${layer.name}/time`, "Transpose", [y], { perm: [0, 2, 1] });
  const [batch, time] = input.shape;
  const lost = padding === "valid" ? reach : 0;
  const length =
    stride === 1 && lost === 0
      ? time
      : typeof time === "number"
        ? Math.ceil((time - lost) / stride)
        : undefined;
  const shape = [batch, length, filters];
  return activate(context, activation, { name: output, shape, dtype: "float32", layout: "batch-first" });
}

/**
 * TensorFlow pads the odd one at the end. With a stride the amount depends on the length, which the operator works out
 * itself.
 */
function paddings(
  padding: string,
  reach: number,
  stride: number,
): Record<string, number[] | string> | undefined {
  switch (padding) {
    case "valid":
      return { pads: [0, 0] };
    case "same":
      return stride === 1 ? { pads: [reach >> 1, reach - (reach >> 1)] } : { auto_pad: "SAME_UPPER" };
    case "causal":
      return { pads: [reach, 0] };
    default:
      return undefined;
  }
}

function outputsFirst(
  kernel: Float32Array,
  { size, channels, filters }: { size: number; channels: number; filters: number },
): Float32Array {
  const out = new Float32Array(kernel.length);
  for (let k = 0, at = 0; k < size; k++) {
    for (let i = 0; i < channels; i++) {
      for (let o = 0; o < filters; o++) out[(o * channels + i) * size + k] = kernel[at++] as number;
    }
  }
  return out;
}
