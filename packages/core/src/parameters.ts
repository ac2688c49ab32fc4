import { CoreError } from "./core-error.js";
import { integerRange, type DequantizableDType, type QuantizedDType } from "./dtype.js";
import { groupLayout, visitGroups, type Granularity, type GroupLayout } from "./granularity.js";
import { chooseScale, quantRange, scaleForRange, type QuantizationScheme } from "./scheme.js";
import type { Tensor } from "./tensor.js";
import { vectorLoops } from "./vector-loops.js";

/** Scales and zero points of a quantized tensor, one entry for each group, row-major over the groups. */
export interface QuantizationParameters<D extends DequantizableDType = QuantizedDType> {
  readonly dtype: D;
  readonly granularity: Granularity;
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
}

/** Smallest and largest value of each group, both including 0. */
export interface GroupRanges {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

function notFinite(operation: string, data: Float32Array): CoreError {
  const index = data.findIndex((value) => !Number.isFinite(value));
  return new CoreError(
    "not-finite",
    `${operation}: element ${index}: value: expected a finite number, got ${data[index]}`,
    {
      index,
    },
  );
}

// Both loops return true when they met a NaN: a comparison that fails for it is the one that a new minimum takes too,
// so ordinary values pay nothing for the check.
function extendRun(
  data: Float32Array,
  start: number,
  end: number,
  ranges: GroupRanges,
  group: number,
): boolean {
  let low = ranges.min[group] as number;
  let high = ranges.max[group] as number;
  let sawNaN = false;
  for (let i = start; i < end; i++) {
    const value = data[i] as number;
    if (!(value >= low)) {
      if (value < low) low = value;
      else sawNaN = true;
    } else if (value > high) high = value;
  }
  ranges.min[group] = low;
  ranges.max[group] = high;
  return sawNaN;
}

function extendRow(
  data: Float32Array,
  start: number,
  end: number,
  low: Float32Array,
  high: Float32Array,
  firstGroup: number,
): boolean {
  let sawNaN = false;
  for (let i = start, g = firstGroup; i < end; i++, g++) {
    const value = data[i] as number;
    if (!(value >= (low[g] as number))) {
      if (value < (low[g] as number)) low[g] = value;
      else sawNaN = true;
    } else if (value > (high[g] as number)) high[g] = value;
  }
  return sawNaN;
}

/**
 * Range of all values of a tensor as {@link groupRanges} has it, for those who compute with a tensor in between:
 * without the vector loops, which a page would carry.
 */
export function wholeRange(data: Float32Array): { readonly min: number; readonly max: number } {
  const ranges: GroupRanges = { min: new Float32Array(1), max: new Float32Array(1) };
  const sawNaN = extendRun(data, 0, data.length, ranges, 0);
  const [min, max] = [ranges.min[0] as number, ranges.max[0] as number];
  if (sawNaN || !Number.isFinite(min) || !Number.isFinite(max)) throw notFinite("groupRanges", data);
  return { min, max };
}

/** Elements from which on a run is worth a copy. */
const shortestRun = 128;

/**
 * Smallest and largest value of each group in one pass, both widened to include 0.
 *
 * @throws CoreError `not-finite` naming the first NaN or infinity, `axis`, `block-size`.
 */
export function groupRanges(x: Tensor<"float32">, granularity: Granularity): GroupRanges {
  const layout = groupLayout("groupRanges", x.shape, granularity);
  const { data } = x;
  const ranges: GroupRanges = { min: new Float32Array(layout.groups), max: new Float32Array(layout.groups) };
  const { min, max } = ranges;
  let sawNaN = false;
  const loops = vectorLoops(data.length, layout.inner === 1 ? layout.groups : 0);
  // Rows of blocks have a range each; those of channels share theirs.
  const columns =
    granularity.kind === "per-channel" && layout.inner === 1 ? loops?.columnRanges(min, max) : undefined;
  visitGroups(granularity, layout, {
    run: (start, end, group) => {
      if (loops === undefined || end - start < shortestRun) {
        if (extendRun(data, start, end, ranges, group)) sawNaN = true;
        return;
      }
      const range = loops.range(data.subarray(start, end));
      if (range === undefined) sawNaN = true;
      min[group] = Math.min(min[group] as number, range?.low ?? 0);
      max[group] = Math.max(max[group] as number, range?.high ?? 0);
    },
    row: (start, end, firstGroup) => {
      const isWhole =
        columns === undefined
          ? !extendRow(data, start, end, min, max, firstGroup)
          : columns.extend(data.subarray(start, end));
      if (!isWhole) sawNaN = true;
    },
  });
  columns?.end();
  for (let g = 0; g < layout.groups; g++) {
    if (min[g] === -Infinity || max[g] === Infinity) sawNaN = true;
  }
  if (sawNaN) throw notFinite("groupRanges", data);
  return ranges;
}

/**
 * Quantization parameters from the smallest and largest value of each group of a tensor, by {@link chooseScale}.
 *
 * @param x a weight, float32, any shape; a group of zeros (or an empty one) gets scale 1, zero point 0.
 * @param scheme integer type and symmetry.
 * @param granularity which elements share a scale.
 * @returns one scale and zero point a group, row-major over the groups.
 * @throws CoreError `not-finite` naming the first NaN or infinity, `axis`, `block-size`, `range`, `scheme`.
 * @example
 * parametersOf(tensor("float32", [2, 2], new Float32Array([1, -2, 3, 4])), { dtype: "int8", symmetric: true },
 *   perChannel(1)); // scale [3/127, 4/127]
 */
export function parametersOf<D extends QuantizedDType>(
  x: Tensor<"float32">,
  scheme: QuantizationScheme & { readonly dtype: D },
  granularity: Granularity,
): QuantizationParameters<D> {
  const range = quantRange(scheme);
  chooseScale(0, 0, scheme); // refuses a bad minRealRange once
  const { min, max } = groupRanges(x, granularity);
  const scale = new Float32Array(min.length);
  const zeroPoint = new Int32Array(min.length);
  for (let g = 0; g < min.length; g++) {
    const chosen = scaleForRange(min[g] as number, max[g] as number, scheme, range);
    scale[g] = chosen.scale;
    zeroPoint[g] = chosen.zeroPoint;
  }
  return { dtype: scheme.dtype, granularity, scale, zeroPoint };
}

/**
 * Checks that parameters fit a tensor and returns the layout of their groups.
 *
 * @throws CoreError `length` when scale or zero point count another number of groups, `scale` for a scale that is not
 * finite (or zero when `divides`), `zero-point` for one outside the type, `axis`, `block-size`.
 */
export function checkedLayout(
  operation: string,
  shape: readonly number[],
  p: QuantizationParameters<DequantizableDType>,
  { divides }: { readonly divides: boolean },
): GroupLayout {
  const layout = groupLayout(operation, shape, p.granularity);
  const where =
    p.granularity.kind === "per-tensor"
      ? p.granularity.kind
      : `axis ${p.granularity.axis} of [${shape.join(", ")}]`;
  for (const name of ["scale", "zeroPoint"] as const) {
    if (p[name].length !== layout.groups) {
      throw new CoreError(
        "length",
        `${operation}: ${name}: length: expected ${layout.groups} (${where}), got ${p[name].length}`,
        { expected: layout.groups, got: p[name].length },
      );
    }
  }
  const { min, max } = integerRange(p.dtype);
  for (let g = 0; g < layout.groups; g++) {
    const scale = p.scale[g] as number;
    const zeroPoint = p.zeroPoint[g] as number;
    if (!Number.isFinite(scale) || (divides && scale === 0)) {
      const expected = divides ? "a finite number other than 0" : "a finite number";
      throw new CoreError("scale", `${operation}: group ${g}: scale: expected ${expected}, got ${scale}`, {
        group: g,
      });
    }
    if (zeroPoint < min || zeroPoint > max) {
      throw new CoreError(
        "zero-point",
        `${operation}: group ${g}: zero point: expected ${min}..${max} (${p.dtype}), got ${zeroPoint}`,
        { group: g },
      );
    }
  }
  return layout;
}
