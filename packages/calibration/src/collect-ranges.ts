import { type Tensor, toFloat32 } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession, type Session } from "@nasty/runtime";
import { CalibrationError } from "./calibration-error.js";
import type { CalibrationTable, TensorRange } from "./calibration-table.js";
import { countedValues, defaultMaskedBelow, layoutOf, type TokenMask } from "./counted-values.js";
import { type MethodOptions, observerOf, resolveMethod } from "./method.js";
import type { Observer } from "./observer.js";
import { observedModel, type WatchedTensor } from "./observed-model.js";
import { reusedOutputs } from "./reused-outputs.js";

/** One batch to run: what the model is fed, and which positions of it are real tokens. */
export interface CalibrationBatch {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /**
   * [batch, length], not 0 where a real token is: usually the attention mask itself. A row without any real token is no
   * sample. Left out, axis 0 of the first feed is the batch and every position counts.
   */
  readonly mask?: Tensor;
}

export interface CollectOptions extends MethodOptions {
  /** Stop after this many samples, and refuse fewer. Without it all feeds are used. */
  readonly limit?: number;
  /** Values at or below this are masked attention scores and do not count. Default −10,000; −Infinity keeps all. */
  readonly maskedBelow?: number;
  /** Default 1. */
  readonly threads?: number;
  /** What else to do with the open model before it is closed: it is shown as it was given, without the values that are watched. */
  readonly use?: (session: Session) => Promise<void>;
  /** Called after each batch with the samples so far. */
  readonly onProgress?: (samples: number) => void;
}

interface Watch extends WatchedTensor {
  readonly observer: Observer;
  masked: number;
}

const readMask = ({ feeds, mask }: CalibrationBatch): TokenMask & { readonly given: boolean } => {
  if (mask === undefined) {
    const [rows = 1, length = 0] = Object.values(feeds)[0]?.shape ?? [];
    return { rows, length, real: new Uint8Array(), given: false };
  }
  const [rows, length] = mask.shape;
  if (mask.shape.length !== 2 || rows === undefined || length === undefined) {
    throw new CalibrationError(
      "mask-shape",
      `calibrate: mask: shape: expected [batch, length], got [${mask.shape.join(", ")}]`,
    );
  }
  // Some inputs may run over other things than the batch: the distinct words of it, say.
  const rowsFed = new Set(Object.values(feeds).map(({ shape }) => shape[0]));
  if (rowsFed.size > 0 && !rowsFed.has(rows)) {
    throw new CalibrationError(
      "mask-shape",
      `calibrate: mask: batch: expected ${[...rowsFed].join(" or ")}, got ${rows}`,
    );
  }
  return {
    rows,
    length,
    real: Uint8Array.from(mask.data as ArrayLike<number | bigint>, (value: number | bigint) =>
      Number(value) === 0 ? 0 : 1,
    ),
    given: true,
  };
};

const asFloat32 = (value: Tensor): Float32Array =>
  value.dtype === "float32" ? (value.data as Float32Array) : toFloat32(value);

/** Rows that are samples, at most `wanted` of them. */
const samplesOf = (mask: TokenMask & { readonly given: boolean }, wanted: number): number[] => {
  const rows: number[] = [];
  for (let row = 0; row < mask.rows && rows.length < wanted; row++) {
    const from = row * mask.length;
    if (!mask.given || mask.real.subarray(from, from + mask.length).includes(1)) rows.push(row);
  }
  return rows;
};

const observeBatch = (
  watches: readonly Watch[],
  values: Readonly<Record<string, Tensor>>,
  {
    mask,
    rows,
    firstSample,
    maskedBelow,
    scratchOf,
  }: {
    readonly mask: TokenMask & { readonly given: boolean };
    readonly rows: readonly number[];
    readonly firstSample: number;
    readonly maskedBelow: number;
    readonly scratchOf: (length: number) => Float32Array;
  },
): void => {
  for (const watch of watches) {
    const value = values[watch.name];
    if (value === undefined) continue;
    const data = asFloat32(value);
    const layout = layoutOf(value.shape, mask, watch.fixed);
    const wholeTensor = layout.rows !== mask.rows;
    const scratch = scratchOf(layout.rowSize);
    for (const [index, row] of (wholeTensor ? [0] : rows).entries()) {
      const counted = countedValues(data, row, {
        layout,
        mask: mask.given && !wholeTensor ? mask : undefined,
        scratch,
        maskedBelow,
        tensor: watch.name,
        sample: firstSample + index,
      });
      watch.masked += counted.masked;
      watch.observer.observe(counted.values, counted.extremes);
    }
  }
};

const rangesOf = (watches: readonly Watch[]): Record<string, TensorRange> => {
  // A model may call a value as objects call something of theirs.
  const tensors = Object.create(null) as Record<string, TensorRange>;
  for (const { name, observer, masked } of watches) {
    const range = observer.range();
    const seen = observer.extremes;
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
  return tensors;
};

/** The session with the outputs of the model alone. */
const withOutputsOf = ({ graph }: ModelProto, session: Session): Session => {
  const names = graph?.output.map(({ name }) => name) ?? [];
  const own = new Set(names);
  return {
    inputs: session.inputs,
    outputs: session.outputs.filter(({ name }) => own.has(name)),
    run: (feeds, outputs = names, options) => session.run(feeds, outputs, options),
    close: () => session.close(),
  };
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

const collect = async (
  session: Session,
  watches: readonly Watch[],
  feeds: AsyncIterable<CalibrationBatch> | Iterable<CalibrationBatch>,
  { limit: wanted, maskedBelow = defaultMaskedBelow, onProgress }: CollectOptions,
): Promise<number> => {
  let scratch = new Float32Array(1024);
  const scratchOf = (length: number): Float32Array => {
    if (scratch.length < length) scratch = new Float32Array(2 ** Math.ceil(Math.log2(length)));
    return scratch;
  };
  const run = reusedOutputs(
    session,
    watches.filter(({ isInput }) => !isInput),
  );
  let samples = 0;
  for await (const batch of feeds) {
    const mask = readMask(batch);
    const rows = samplesOf(mask, wanted === undefined ? mask.rows : wanted - samples);
    if (rows.length > 0) {
      const results = await run(batch.feeds);
      observeBatch(
        watches,
        { ...batch.feeds, ...results },
        {
          mask,
          rows,
          firstSample: samples,
          maskedBelow,
          scratchOf,
        },
      );
      samples += rows.length;
      onProgress?.(samples);
    }
    if (wanted !== undefined && samples >= wanted) break;
  }
  return samples;
};

/**
 * Runs a model over samples and chooses a range for each activation.
 *
 * One batch is held at a time. Padding never counts: rows and positions that the mask says are padding are left out on
 * every axis that runs over positions, and so are masked attention scores. Each row is one sample, so the result does not
 * depend on how samples were cut into batches, up to the runtime's own rounding (the exception: a tensor without a batch
 * axis counts as one sample for each run).
 *
 * @param model the float model; the caller's message is not changed
 * @param tensorNames activations of the main graph, graph inputs included
 * @param feeds batches, of any lengths
 * @throws CalibrationError `empty-set`, `too-few-samples`, `nan`, `infinite-value` (naming tensor and sample), `no-values`,
 *   `unknown-tensor`, `unsupported-dtype`, `mask-shape`, `invalid-option`; RuntimeError as `openSession` and `run`.
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
  feeds: AsyncIterable<CalibrationBatch> | Iterable<CalibrationBatch>,
  options: CollectOptions = {},
): Promise<CalibrationTable> => {
  const { method, percentile, averagingConstant, bins } = resolveMethod(options);
  const { limit: wanted, threads = 1 } = options;
  if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < 1)) {
    throw new CalibrationError(
      "invalid-option",
      `calibrate: limit: expected an integer of at least 1, got ${wanted}`,
    );
  }
  const observed = observedModel(model, tensorNames);
  const watches = observed.tensors.map(
    (tensor): Watch => ({ ...tensor, observer: observerOf(options), masked: 0 }),
  );
  const session = await openSession(observed.model, { threads });
  let samples: number;
  try {
    samples = await collect(session, watches, feeds, options);
    await options.use?.(withOutputsOf(model, session));
  } finally {
    await session.close();
  }
  checkSamples(samples, wanted);
  return {
    schemaVersion: 1,
    method,
    parameters: { percentile, averagingConstant, bins },
    samples,
    tensors: rangesOf(watches),
  };
};
