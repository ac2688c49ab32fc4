import type { CalibrationTable, Histogram } from "@nasty/calibration";
import type { QuantizationPlan } from "@nasty/compression";

/** Values of an activation, counted in bins of one width. */
export interface Bins {
  /** Where the first bin begins. */
  readonly from: number;
  readonly width: number;
  readonly counts: readonly number[];
}

/** What of an activation becomes integers, in its own unit. */
export interface ActivationRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** All that was seen of it; undefined where nothing was measured. */
  readonly seen: { readonly min: number; readonly max: number } | undefined;
  /** Undefined unless it was measured for a report, and where it is zero throughout. */
  readonly bins: Bins | undefined;
}

/** What is known of ranges beside the plan. */
export interface MeasuredRanges {
  readonly table: CalibrationTable;
  /** By tensor; empty unless a report asked for them. */
  readonly bins: ReadonlyMap<string, Bins>;
}

/** Bins that a plot of a phone's width shows. */
const shownBins = 64;

/** A histogram as it is shown: at most 64 bins over what was seen; undefined of values that are zero throughout. */
export function shownHistogram({ counts, limit, stride }: Histogram): Bins | undefined {
  if (limit === 0) return undefined;
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  const each = Math.ceil((last - first + 1) / shownBins);
  const shown: number[] = [];
  for (let bin = first; bin <= last; bin += each) {
    shown.push(counts.subarray(bin, Math.min(bin + each, last + 1)).reduce((a, b) => a + b, 0));
  }
  return { from: first * stride - limit, width: each * stride, counts: shown };
}

/** The activations of a plan, in its order. */
export function activationRanges(
  { activations }: QuantizationPlan,
  measured: MeasuredRanges | undefined,
): ActivationRange[] {
  return activations.map(({ name, min, max }) => {
    const tensors = measured?.table.tensors ?? {};
    const range = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    const seen = range && { min: range.seenMin, max: range.seenMax };
    return { name, min, max, seen, bins: measured?.bins.get(name) };
  });
}
