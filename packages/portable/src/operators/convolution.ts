import type { Tensor } from "@nasty/core";
import { intAttribute, intsAttribute, stringAttribute } from "@nasty/formats/onnx";
import type { Operator } from "../plan/operator.js";
import type { Planner } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import { checked, checkType, constant, input, onlyAttributes, weightOf } from "./checks.js";
import { floatStep } from "./float-products.js";
import { columnFloats, packFloats } from "./packing.js";

interface Geometry {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  readonly pads: readonly [number, number] | "same-upper" | "same-lower";
}

const geometryOf = (open: Parameters<Operator>[0], kernel: number): Geometry => {
  const { node } = open;
  const [stride = 1] = intsAttribute(node, "strides", [1]);
  const [dilation = 1] = intsAttribute(node, "dilations", [1]);
  const [given = kernel] = intsAttribute(node, "kernel_shape", [kernel]);
  checked(given === kernel, `attribute kernel_shape: expected that of the weight, ${kernel}, got ${given}`);
  checked(stride > 0 && dilation > 0, "attributes strides and dilations: expected positive numbers");
  const [before = 0, after = 0] = intsAttribute(node, "pads", [0, 0]);
  const auto = stringAttribute(node, "auto_pad", "NOTSET");
  const byName = {
    NOTSET: [before, after],
    VALID: [0, 0],
    SAME_UPPER: "same-upper",
    SAME_LOWER: "same-lower",
  } as const;
  checked(Object.hasOwn(byName, auto), `attribute auto_pad: expected a known one, got ${auto}`);
  return {
    kernel,
    stride,
    dilation,
    groups: intAttribute(node, "group", 1),
    pads: byName[auto as keyof typeof byName],
  };
};

/** Length of the result, and how many zeros stand before the input. */
const lengthsOf = (
  length: number,
  { kernel, stride, dilation, pads }: Geometry,
): { out: number; before: number } => {
  const reach = dilation * (kernel - 1) + 1;
  if (typeof pads !== "string")
    return { out: Math.floor((length + pads[0] + pads[1] - reach) / stride) + 1, before: pads[0] };
  const out = Math.ceil(length / stride);
  const missing = Math.max(0, (out - 1) * stride + reach - length);
  return { out, before: pads === "same-upper" ? Math.floor(missing / 2) : Math.ceil(missing / 2) };
};

/**
 * Convolution over one dimension: the windows of a sequence become rows, [length, channels·kernel], which are
 * multiplied with the weights; the product [length, filters] is turned.
 */
const conv: Operator = (open) => {
  onlyAttributes(open, ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"]);
  for (const index of [0, 1, 2]) checkType(open, index, ["float32"]);
  input(open, 0);
  const weight = weightOf(open, 1) as Tensor<"float32">;
  const bias = constant(open, 2);
  checked(
    weight.shape.length === 3,
    `input 1: expected a weight over one dimension [filters, channels, size], got [${weight.shape.join(", ")}]`,
  );
  const [filters, channels, kernel] = weight.shape as readonly [number, number, number];
  const geometry = geometryOf(open, kernel);
  const { groups } = geometry;
  checked(
    groups > 0 && filters % groups === 0,
    `attribute group: expected a divisor of ${filters}, got ${groups}`,
  );
  const ownFilters = filters / groups;
  const depth = channels * kernel;
  const weights = Array.from({ length: groups }, (_, group) => {
    const start = group * ownFilters;
    const at = packFloats(
      open.heap,
      depth,
      ownFilters,
      (k, n) => weight.data[(start + n) * depth + k] as number,
    );
    const own = bias && {
      dtype: bias.dtype,
      shape: [ownFilters],
      data: (bias.data as Float32Array).slice(start, start + ownFilters),
    };
    return {
      at,
      depth,
      columns: ownFilters,
      scale: 1,
      bias: own === undefined ? 0 : columnFloats(open.heap, own, ownFilters),
    };
  });
  return {
    outputs: ["float32"],
    packed: [1, 2],
    plan(planner, [value]) {
      const x = value as Value;
      const [batch, inputs, length] = x.shape as readonly [number, number, number];
      if (x.shape.length !== 3 || inputs !== channels * groups)
        throw new RangeError(
          `input 0: shape: expected [batch, ${channels * groups}, length], got [${x.shape.join(", ")}]`,
        );
      const { out, before } = lengthsOf(length, geometry);
      if (out < 0)
        throw new RangeError(`input 0: length: expected at least that of the kernel, got ${length}`);
      const result = planner.result("float32", [batch, filters, out]);
      const from = planner.address(x);
      const rows = planner.scratch(batch * out * depth * 4);
      const products = planner.scratch(batch * out * ownFilters * 4);
      for (const [group, own] of weights.entries()) {
        windowStep(planner, { from, rows, batch, inputs, length, out, before, geometry, channels, group });
        floatStep(planner, { from: rows, rows: batch * out, to: products, weights: own });
        const { copy } = planner.kernels;
        const to = result.at + group * ownFilters * out * 4;
        planner.step(() =>
          copy(
            products,
            to,
            batch,
            out * ownFilters * 4,
            filters * out * 4,
            ownFilters,
            4,
            out * 4,
            out,
            ownFilters * 4,
            4,
            4,
          ),
        );
      }
      return [result];
    },
  };
};

interface Windows {
  readonly from: number;
  readonly rows: number;
  readonly batch: number;
  readonly inputs: number;
  readonly length: number;
  readonly out: number;
  readonly before: number;
  readonly geometry: Geometry;
  readonly channels: number;
  readonly group: number;
}

/** Writes the windows of a group's channels, [batch, out, channels, kernel], one tap at a time. */
const windowStep = (planner: Planner, windows: Windows): void => {
  const { from, rows, batch, inputs, length, out, before, geometry, channels, group } = windows;
  const { kernel, stride, dilation } = geometry;
  const { copy } = planner.kernels;
  const { heap } = planner;
  const rowBytes = channels * kernel * 4;
  const taps = Array.from({ length: kernel }, (_, tap) => {
    // Positions of the result whose window holds an element of the input at this tap.
    const shift = tap * dilation - before;
    const first = Math.max(0, Math.ceil(-shift / stride));
    const last = Math.min(out - 1, Math.floor((length - 1 - shift) / stride));
    return { tap, first, count: Math.max(0, last - first + 1), start: first * stride + shift };
  });
  planner.step(() => {
    heap.u8.fill(0, rows, rows + batch * out * rowBytes);
    for (const { tap, first, count, start } of taps)
      copy(
        from + (group * channels * length + start) * 4,
        rows + first * rowBytes + tap * 4,
        batch,
        inputs * length * 4,
        out * rowBytes,
        channels,
        length * 4,
        kernel * 4,
        count,
        stride * 4,
        rowBytes,
        4,
      );
  });
};

export const convolutionOperators: Readonly<Record<string, Operator>> = { Conv: conv };
