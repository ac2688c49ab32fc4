import { intAttribute, intsAttribute, stringAttribute } from "@nasty/formats/onnx";
import type { TfTensor, TfTensor3D } from "../tensorflow.js";
import { slidingWindows } from "../backend/sliding-windows.js";
import type { Operator, OperatorContext } from "./context.js";
import { product } from "./matrix.js";

interface Window {
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
}

/** Convolution over one dimension: X [N, I, T], W [O, I/group, taps], b [O]. */
const conv: Operator = (c) => {
  const { tf } = c;
  const [x, w] = [c.input(0), c.input(1)];
  if (x.rank !== 3) c.refuse("input rank", "3 (one spatial dimension)", String(x.rank));
  const window = windowOf(c, x.shape[2] as number, w.shape[2] as number);
  const group = intAttribute(c.node, "group", 1);
  const last = tf.pad(tf.transpose(x, [0, 2, 1]), [
    [0, 0],
    [window.before, window.after],
    [0, 0],
  ]);
  const taps = spread(c, tf.transpose(w, [2, 1, 0]), window.dilation);
  const convolve = (input: TfTensor, kernel: TfTensor): TfTensor =>
    c.backend === "wasm" && window.stride === 1
      ? byProduct(c, input, kernel)
      : tf.conv1d(input as TfTensor3D, kernel as TfTensor3D, window.stride, "valid");
  let y: TfTensor;
  if (group === 1) y = convolve(last, taps);
  else {
    const kernels = tf.split(taps, group, 2);
    y = tf.concat(
      tf.split(last, group, 2).map((part, i) => convolve(part, kernels[i] as TfTensor)),
      2,
    );
  }
  const bias = c.optional(2);
  return tf.transpose(bias === undefined ? y : tf.add(y, bias), [0, 2, 1]);
};

/**
 * A convolution [N, T, I] with [taps, I, O] as one product with all windows: of the gradients of WebAssembly's
 * convolution one takes ten times as long as itself, the other is missing.
 */
function byProduct(c: OperatorContext, x: TfTensor, kernel: TfTensor): TfTensor {
  const { tf } = c;
  const [batch = 0, length = 0, inputs = 0] = x.shape;
  const [taps = 0, , outputs = 0] = kernel.shape;
  const steps = length - taps + 1;
  const rows = taps === 1 ? x : slidingWindows(tf, x, taps);
  const flat = tf.reshape(rows, [batch * steps, taps * inputs]);
  const y = product(c, flat, tf.reshape(kernel, [taps * inputs, outputs]));
  return tf.reshape(y, [batch, steps, outputs]);
}

/** A kernel [taps, I, O] with zeros between its taps: TensorFlow.js has no gradient of dilated convolutions. */
function spread({ tf }: OperatorContext, kernel: TfTensor, dilation: number): TfTensor {
  const [taps = 0, inputs = 0, outputs = 0] = kernel.shape;
  if (dilation === 1 || taps === 1) return kernel;
  const padded = tf.pad(tf.reshape(kernel, [taps, 1, inputs * outputs]), [
    [0, 0],
    [0, dilation - 1],
    [0, 0],
  ]);
  const rows = tf.reshape(padded, [taps * dilation, inputs, outputs]);
  return tf.slice(rows, [0, 0, 0], [(taps - 1) * dilation + 1, inputs, outputs]);
}

function windowOf(c: OperatorContext, length: number, taps: number): Window {
  const { node } = c;
  const stride = intsAttribute(node, "strides", [1])[0] ?? 1;
  const dilation = intsAttribute(node, "dilations", [1])[0] ?? 1;
  const mode = stringAttribute(node, "auto_pad", "NOTSET");
  const span = (taps - 1) * dilation + 1;
  if (mode === "VALID") return { stride, dilation, before: 0, after: 0 };
  if (mode === "NOTSET") {
    const [before = 0, after = 0] = intsAttribute(node, "pads", [0, 0]);
    return { stride, dilation, before, after };
  }
  const total = Math.max(0, (Math.ceil(length / stride) - 1) * stride + span - length);
  const small = Math.floor(total / 2);
  const before = mode === "SAME_LOWER" ? total - small : small;
  return { stride, dilation, before, after: total - before };
}

export const convolutionOperators: Readonly<Record<string, Operator>> = { Conv: conv };
