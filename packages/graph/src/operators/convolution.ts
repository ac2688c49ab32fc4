import { addDims, type Dim } from "../inference/dims.js";
import type { InferRule, RuleContext } from "../inference/rule.js";
import { all, operator, type OperatorSchema } from "./schema.js";
import { unknownDims } from "./shape-rules.js";

/** Size of one axis after a window slid over it (ONNX Conv and pooling). */
const slid = (
  size: Dim,
  {
    kernel,
    stride,
    dilation,
    before,
    after,
    ceil,
  }: {
    kernel: Dim;
    stride: number;
    dilation: number;
    before: number;
    after: number;
    ceil: boolean;
  },
): Dim => {
  if (typeof kernel !== "number") return undefined;
  const change = before + after - dilation * (kernel - 1) - 1;
  if (typeof size === "number") {
    const steps = (size + change) / stride;
    const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A last window that would begin in the padding after the input does not count.
    return ceil && (count - 1) * stride >= size + before ? count - 1 : count;
  }
  return stride === 1 ? addDims(size, change + 1) : undefined;
};

const windowed = (c: RuleContext, input: readonly Dim[], kernel: readonly Dim[]): readonly Dim[] => {
  const rank = input.length;
  const strides = c.ints("strides") ?? Array.from({ length: rank }, () => 1);
  const dilations = c.ints("dilations") ?? Array.from({ length: rank }, () => 1);
  const pads = c.ints("pads") ?? Array.from({ length: 2 * rank }, () => 0);
  const automatic = c.string("auto_pad", "NOTSET");
  const ceil = c.int("ceil_mode", 0) !== 0;
  return input.map((size, axis) => {
    const stride = strides[axis] ?? 1;
    if (automatic.startsWith("SAME")) {
      return typeof size === "number" ? Math.ceil(size / stride) : stride === 1 ? size : undefined;
    }
    const none = automatic === "VALID";
    return slid(size, {
      kernel: kernel[axis],
      stride,
      dilation: dilations[axis] ?? 1,
      before: none ? 0 : (pads[axis] ?? 0),
      after: none ? 0 : (pads[axis + rank] ?? 0),
      ceil,
    });
  });
};

/** Convolution of input `x` with a weight `[out, in / group, …kernel]` at input `w`. */
const convolved = (c: RuleContext, x: number, w: number): readonly Dim[] | undefined => {
  const input = c.shape(x);
  const weight = c.shape(w);
  const rank = input?.length ?? weight?.length;
  if (rank === undefined) return undefined;
  const kernel = c.ints("kernel_shape") ?? weight?.slice(2) ?? unknownDims(rank - 2);
  const spatial = input === undefined ? unknownDims(rank - 2) : windowed(c, input.slice(2), kernel);
  return [input?.[0], weight?.[0], ...spatial];
};

const convTranspose: InferRule = (c) => {
  const input = c.shape(0);
  const weight = c.shape(1);
  if (input === undefined || weight === undefined) return [{ dtype: c.dtype(0) }];
  const spatial = input.slice(2);
  const kernel = c.ints("kernel_shape") ?? weight.slice(2);
  const given = c.ints("output_shape");
  const at = (name: string, index: number, fallback: number): number => c.ints(name)?.[index] ?? fallback;
  const automatic = c.string("auto_pad", "NOTSET").startsWith("SAME");
  const dims = spatial.map((size, axis) => {
    if (given !== undefined) return given.at(axis - spatial.length);
    const stride = at("strides", axis, 1);
    const width = kernel[axis];
    if (typeof size !== "number" || typeof width !== "number") return undefined;
    if (automatic) return size * stride;
    const grown =
      stride * (size - 1) + at("output_padding", axis, 0) + (width - 1) * at("dilations", axis, 1) + 1;
    return grown - at("pads", axis, 0) - at("pads", axis + spatial.length, 0);
  });
  const channels = weight[1];
  const group = c.int("group", 1);
  return [
    {
      dtype: c.dtype(0),
      shape: [input[0], typeof channels === "number" ? channels * group : undefined, ...dims],
    },
  ];
};

const pool: InferRule = (c) => {
  const input = c.shape(0);
  const kernel = c.ints("kernel_shape");
  const shape =
    input === undefined || kernel === undefined
      ? undefined
      : [...input.slice(0, 2), ...windowed(c, input.slice(2), kernel)];
  return [
    { dtype: c.dtype(0), shape },
    { dtype: "int64", shape },
  ];
};

const globalPool: InferRule = (c) => [
  { dtype: c.dtype(0), shape: c.shape(0)?.map((dim, axis) => (axis < 2 ? dim : 1)) },
];

/** Windows sliding over space or time. */
export const convolution: Readonly<Record<string, OperatorSchema>> = {
  Conv: operator([2, 3], 1, (c) => [{ dtype: c.dtype(0) ?? c.dtype(1), shape: convolved(c, 0, 1) }]),
  ConvInteger: operator([2, 4], 1, (c) => [{ dtype: "int32", shape: convolved(c, 0, 1) }], {
    quantization: [2, 3],
  }),
  QLinearConv: operator([8, 9], 1, (c) => [{ dtype: c.dtype(7), shape: convolved(c, 0, 3) }], {
    quantization: [1, 2, 4, 5, 6, 7],
  }),
  ConvTranspose: operator([2, 3], 1, convTranspose),
  ...all("MaxPool AveragePool LpPool", operator(1, [1, 2], pool)),
  ...all("GlobalMaxPool GlobalAveragePool GlobalLpPool", operator(1, 1, globalPool)),
  STFT: operator([2, 4], 1, (c) => [
    { dtype: c.dtype(0), shape: [c.shape(0)?.[0], undefined, undefined, 2] },
  ]),
};

export const microsoftConvolution: Readonly<Record<string, OperatorSchema>> = {
  FusedConv: operator([2, 4], 1, (c) => [{ dtype: c.dtype(0), shape: convolved(c, 0, 1) }]),
};
