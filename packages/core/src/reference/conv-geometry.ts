import { CoreError } from "../core-error.js";

/** Attributes of the ONNX convolutions; each has the default of the specification. */
export interface ConvAttributes {
  readonly autoPad?: "NOTSET" | "SAME_UPPER" | "SAME_LOWER" | "VALID";
  readonly strides?: readonly number[];
  /** All begins, then all ends. */
  readonly pads?: readonly number[];
  readonly dilations?: readonly number[];
  readonly group?: number;
}

/** Sizes of one convolution over any number of spatial axes. */
export interface ConvGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly outputChannels: number;
  readonly group: number;
  /** Spatial sizes of input, kernel and output. */
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly output: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before each axis. */
  readonly begins: readonly number[];
}

function perAxis(
  name: string,
  given: readonly number[] | undefined,
  length: number,
  fallback: number,
): readonly number[] {
  const values = given ?? Array.from({ length }, () => fallback);
  if (values.length !== length || values.some((value) => !Number.isInteger(value) || value < fallback)) {
    throw new CoreError(
      "shape",
      `convInteger: ${name}: values: expected ${length} integers of at least ${fallback}, got [${values.join(", ")}]`,
    );
  }
  return values;
}

/**
 * Output sizes and paddings of a convolution.
 *
 * @param x shape [batch, channels, ...spatial]; @param w shape [output channels, channels / group, ...kernel].
 * @throws CoreError `shape` when ranks, channels, groups or attributes do not fit.
 * Source: ONNX 1.22, Conv-22.
 */
export function convGeometry(
  x: readonly number[],
  w: readonly number[],
  attributes: ConvAttributes,
): ConvGeometry {
  const { autoPad = "NOTSET", group = 1 } = attributes;
  const spatial = x.length - 2;
  if (spatial < 1 || w.length !== x.length) {
    throw new CoreError(
      "shape",
      `convInteger: [${x.join(", ")}] and [${w.join(", ")}]: rank: expected equal ranks of at least 3, got ${x.length} and ${w.length}`,
    );
  }
  const [batch, channels] = x as [number, number];
  const [outputChannels, groupChannels] = w as [number, number];
  if (
    !Number.isInteger(group) ||
    group < 1 ||
    channels !== groupChannels * group ||
    outputChannels % group !== 0
  ) {
    throw new CoreError(
      "shape",
      `convInteger: group ${group}: channels: expected ${groupChannels * group} in and a multiple of ${group} out, got ${channels} and ${outputChannels}`,
    );
  }
  const input = x.slice(2);
  const kernel = w.slice(2);
  const strides = perAxis("strides", attributes.strides, spatial, 1);
  const dilations = perAxis("dilations", attributes.dilations, spatial, 1);
  const pads = [...perAxis("pads", attributes.pads, 2 * spatial, 0)];
  const output = input.map((size, i) => {
    const stride = strides[i] as number;
    const span = ((kernel[i] as number) - 1) * (dilations[i] as number) + 1;
    if (autoPad !== "NOTSET") {
      const same = autoPad !== "VALID";
      const total = same ? Math.max(0, (Math.ceil(size / stride) - 1) * stride + span - size) : 0;
      const smaller = Math.floor(total / 2);
      pads[i] = autoPad === "SAME_LOWER" ? total - smaller : smaller;
      pads[i + spatial] = total - (pads[i] as number);
    }
    const free = size + (pads[i] as number) + (pads[i + spatial] as number) - span;
    return free < 0 ? 0 : Math.floor(free / stride) + 1;
  });
  return {
    batch,
    channels,
    outputChannels,
    group,
    input,
    kernel,
    output,
    strides,
    dilations,
    begins: pads.slice(0, spatial),
  };
}
