import type { QuantizationScheme } from "@nasty/core";
import { CalibrationError } from "./calibration-error.js";
import { entropySearch } from "./entropy-search.js";
import {
  histogramObserver,
  type RangeSearch,
  type SearchedHistogram,
  searchedHistogram,
} from "./histogram-observer.js";
import { minMaxObserver } from "./min-max-observer.js";
import { movingAverageObserver } from "./moving-average-observer.js";
import { mseSearch } from "./mse-search.js";
import { extremesOf, type Observer, type Range } from "./observer.js";
import { percentileSearch } from "./percentile-search.js";

export type CalibrationMethod = "minmax" | "moving-average" | "percentile" | "entropy" | "mse";

export const calibrationMethods: readonly CalibrationMethod[] = [
  "minmax",
  "moving-average",
  "percentile",
  "entropy",
  "mse",
];

/** How a range is chosen; every field has a default, so `{}` is min-max. */
export interface MethodOptions {
  /** Default `minmax`. */
  readonly method?: CalibrationMethod;
  /** Share of values kept by `percentile`, in percent, 0 < p ≤ 100. Default 99.99. */
  readonly percentile?: number;
  /** Weight of a new sample in `moving-average`, 0 < c ≤ 1. Default 0.01. */
  readonly averagingConstant?: number;
  /** First number of bins of histogram methods, even, at least 256. Default 2,048. */
  readonly bins?: number;
  /**
   * How activations will be quantized: symmetry for `percentile`, levels for `entropy`, both for `mse`. Default
   * asymmetric uint8.
   */
  readonly scheme?: QuantizationScheme;
}

/** Method options with every default filled in. */
export type ResolvedMethod = Required<MethodOptions>;

const fail = (what: string, expected: string, got: unknown): never => {
  throw new CalibrationError(
    "invalid-option",
    `calibrate: ${what}: expected ${expected}, got ${String(got)}`,
  );
};

/** @throws CalibrationError `invalid-option` for a value out of its range. */
export const resolveMethod = (options: MethodOptions = {}): ResolvedMethod => {
  const { method = "minmax", percentile = 99.99, averagingConstant = 0.01, bins = 2048 } = options;
  const { scheme = { dtype: "uint8", symmetric: false } } = options;
  if (!calibrationMethods.includes(method)) fail("method", calibrationMethods.join(", "), method);
  if (!(percentile > 0 && percentile <= 100)) fail("percentile", "a number in 0..100, not 0", percentile);
  if (!(averagingConstant > 0 && averagingConstant <= 1)) {
    fail("averagingConstant", "a number in 0..1, not 0", averagingConstant);
  }
  if (!Number.isInteger(bins) || bins < 256 || bins % 2 !== 0 || bins > 2 ** 20) {
    fail("bins", "an even integer in 256..1048576", bins);
  }
  return { method, percentile, averagingConstant, bins, scheme };
};

/** Levels of a quantized type, as the entropy search counts them: 255 for a symmetric int8, 256 for uint8. */
const levelsOf = ({ dtype, symmetric }: QuantizationScheme): number => {
  const bits = Number(/\d+/.exec(dtype)?.[0]);
  return 2 ** bits - (symmetric ? 1 : 0);
};

/** How a method finds its range in a histogram; undefined for a method that keeps none. */
const searchOf = ({ method, percentile, scheme }: ResolvedMethod): RangeSearch | undefined => {
  switch (method) {
    case "minmax":
    case "moving-average":
      return undefined;
    case "percentile":
      return percentileSearch({ percentile, symmetric: scheme.symmetric });
    case "entropy":
      return entropySearch({ levels: levelsOf(scheme) });
    case "mse":
      return mseSearch({ scheme });
    default: {
      const unreachable: never = method;
      throw new Error(`observerOf: ${String(unreachable)}`);
    }
  }
};

/** A fresh observer of a method. */
export const observerOf = (options: MethodOptions = {}): Observer => {
  const resolved = resolveMethod(options);
  const { method, averagingConstant, bins } = resolved;
  const search = searchOf(resolved);
  if (search !== undefined) return histogramObserver(search, { bins });
  return method === "minmax" ? minMaxObserver() : movingAverageObserver({ constant: averagingConstant });
};

/** What several methods see of one tensor, and the range that each chooses. */
export interface SharedObserver extends Omit<Observer, "range"> {
  /** One a method, in their order. */
  ranges(): readonly (Range | undefined)[];
}

/** Fresh observers of several methods; those that search a histogram of as many bins share it. */
export const sharedObserver = (methods: readonly MethodOptions[]): SharedObserver => {
  const all = minMaxObserver();
  const averages: Observer[] = [];
  const histograms = new Map<number, SearchedHistogram>();
  const ranges = methods.map((options): (() => Range | undefined) => {
    const resolved = resolveMethod(options);
    const search = searchOf(resolved);
    if (search === undefined && resolved.method === "minmax") return () => all.range();
    if (search === undefined) {
      const own = observerOf(options);
      averages.push(own);
      return () => own.range();
    }
    const { bins } = resolved;
    const histogram = histograms.get(bins) ?? searchedHistogram({ bins });
    histograms.set(bins, histogram);
    return () => histogram.rangeBy(search);
  });
  const watching = [all, ...averages, ...histograms.values()];
  return {
    observe(sample, seen = extremesOf(sample)) {
      for (const one of watching) one.observe(sample, seen);
    },
    ranges: () => ranges.map((range) => range()),
    get extremes() {
      return all.extremes;
    },
    get count() {
      return all.count;
    },
  };
};
