import type { ModelProto } from "@nasty/formats/onnx";
import { type ModelTapOptions, tapActivations, type TappedValue } from "./activation-tap.js";
import { CalibrationError } from "./calibration-error.js";
import type { CalibrationTable, TensorRange } from "./calibration-table.js";
import { countedValues, defaultMaskedBelow } from "./counted-values.js";
import { growingScratch } from "./growing-scratch.js";
import { type Histogram, streamingHistogram } from "./histogram.js";
import { type MethodOptions, resolveMethod, type SharedObserver, sharedObserver } from "./method.js";
import { elementsOf } from "./real-positions.js";
import type { Batches } from "./token-mask.js";

/** `limit`: stop after so many samples, and refuse fewer; without it all feeds are used. */
export interface CollectOptions extends MethodOptions, Omit<ModelTapOptions, "constants" | "session"> {
  /** Values at or below this are masked attention scores and do not count. Default −10,000; −Infinity keeps all. */
  readonly maskedBelow?: number;
  /**
   * Called once a tensor, after the last sample, with a coarse histogram of what counted (256 to 1,024 bins, whatever
   * the method), to be looked at. Without it none is kept.
   */
  readonly onHistogram?: (tensor: string, histogram: Histogram) => void;
}

/**
 * First number of bins of a histogram that is looked at: some hundred over the values that there are, also where all
 * have one sign.
 */
const shownBins = 256;

interface Watch {
  readonly name: string;
  readonly observer: SharedObserver;
  readonly histogram: ReturnType<typeof streamingHistogram> | undefined;
  masked: number;
}

/** Shows each sample of a value to its observer, without masked scores. */
const observe = (
  watch: Watch,
  value: TappedValue,
  {
    scratchOf,
    maskedBelow,
  }: { readonly scratchOf: (length: number) => Float32Array; readonly maskedBelow: number },
): void => {
  for (let sample = 0; sample < value.samples; sample++) {
    const runs = value.runsOf(sample);
    const counted = countedValues(value.data, runs, {
      scratch: scratchOf(elementsOf(runs)),
      maskedBelow,
      tensor: watch.name,
      sample: value.firstSample + sample,
    });
    watch.masked += counted.masked;
    watch.observer.observe(counted.values, counted.extremes);
    watch.histogram?.add(counted.values, counted.extremes);
  }
};

/** The tensors of the table of each method. */
const rangesOf = (watches: readonly Watch[], methods: number): Record<string, TensorRange>[] => {
  // A model may call a value as objects call something of theirs.
  const tables = Array.from({ length: methods }, () => Object.create(null) as Record<string, TensorRange>);
  for (const { name, observer, masked } of watches) {
    const ranges = observer.ranges();
    const seen = observer.extremes;
    for (const [at, tensors] of tables.entries()) {
      const range = ranges[at];
      if (range === undefined || seen === undefined) {
        throw new CalibrationError(
          "no-values",
          `calibrate: tensor ${name}: values: expected at least 1 that counts, got 0 (${masked} masked)`,
          { tensor: name },
        );
      }
      tensors[name] = {
        // JSON has no −0, so the table has none either.
        min: range.min + 0,
        max: range.max + 0,
        seenMin: seen.min + 0,
        seenMax: seen.max + 0,
        count: observer.count,
        masked,
      };
    }
  }
  return tables;
};

const checkSamples = (got: number, wanted: number | undefined): void => {
  if (got === 0) {
    throw new CalibrationError("empty-set", "calibrate: samples: count: expected at least 1, got 0");
  }
  if (wanted !== undefined && got < wanted) {
    throw new CalibrationError(
      "too-few-samples",
      `calibrate: samples: count: expected ${wanted}, got ${got}`,
    );
  }
};

/**
 * Runs a model over samples and chooses a range for each activation.
 *
 * One batch is held at a time. Padding never counts: rows and positions that the mask says are padding are left out on
 * every axis that runs over positions, and so are masked attention scores. Each row is one sample, so the result does
 * not depend on how samples were cut into batches, up to the runtime's own rounding (the exception: a tensor without a
 * batch axis counts as one sample for each run).
 *
 * @param model the float model; the caller's message is not changed
 * @param tensorNames activations of the main graph, graph inputs included
 * @param feeds batches, of any lengths
 * @throws CalibrationError `empty-set`, `too-few-samples`, `nan`, `infinite-value` (naming tensor and sample),
 *   `no-values`, `unknown-tensor`, `unsupported-dtype`, `mask-shape`, `invalid-option`; RuntimeError as `openSession`
 *   and `run`.
 *
 * @example
 * ```ts
 * const table = await collectRanges(model, ["/encoder/MatMul_1_input"], batches, { method: "percentile" });
 * table.tensors["/encoder/MatMul_1_input"]; // { min: -3.1, max: 2.8, … }
 * ```
 */
export const collectRanges = async (
  model: ModelProto,
  tensorNames: readonly string[],
  feeds: Batches,
  options: CollectOptions = {},
): Promise<CalibrationTable> => {
  const [table] = await collectTables(model, tensorNames, feeds, { ...options, methods: [options] });
  return table as CalibrationTable;
};

/** As {@link CollectOptions}, for several methods at once. */
export interface CollectTablesOptions extends Omit<CollectOptions, keyof MethodOptions> {
  readonly methods: readonly MethodOptions[];
}

/**
 * {@link collectRanges} for several methods that look at the same samples: the model runs once, and one histogram of a
 * tensor serves all that search one.
 *
 * @returns a table for each method, in their order, each as {@link collectRanges} alone would give it
 * @throws as {@link collectRanges}
 */
export const collectTables = async (
  model: ModelProto,
  tensorNames: readonly string[],
  feeds: Batches,
  options: CollectTablesOptions,
): Promise<CalibrationTable[]> => {
  const { methods, limit: wanted, maskedBelow = defaultMaskedBelow, onHistogram } = options;
  const resolved = methods.map((method) => resolveMethod(method));
  if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < 1)) {
    throw new CalibrationError(
      "invalid-option",
      `calibrate: limit: expected an integer of at least 1, got ${wanted}`,
    );
  }
  const watches = new Map(
    tensorNames.map((name): [string, Watch] => {
      const histogram = onHistogram === undefined ? undefined : streamingHistogram({ bins: shownBins });
      return [name, { name, observer: sharedObserver(methods), histogram, masked: 0 }];
    }),
  );
  const scratchOf = growingScratch();
  const samples = await tapActivations(
    model,
    tensorNames,
    feeds,
    (value) => {
      const watch = watches.get(value.name);
      if (watch !== undefined) observe(watch, value, { scratchOf, maskedBelow });
    },
    options,
  );
  checkSamples(samples, wanted);
  const tables = rangesOf([...watches.values()], methods.length);
  for (const { name, histogram } of watches.values()) {
    if (histogram !== undefined) onHistogram?.(name, histogram.read());
  }
  return resolved.map(
    ({ method, percentile, averagingConstant, bins }, at): CalibrationTable => ({
      schemaVersion: 1,
      method,
      parameters: { percentile, averagingConstant, bins },
      samples,
      tensors: tables[at] ?? {},
    }),
  );
};
