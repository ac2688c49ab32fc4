import { type DType, type Tensor, toFloat32 } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession, type Session, type SessionOptions } from "@nasty/runtime";
import { axisRoles, inputAxesOf } from "./axis-roles.js";
import { observedModel, type WatchedTensor, wholeNumbers } from "./observed-model.js";
import { growingScratch } from "./growing-scratch.js";
import {
  addRealRuns,
  elementsOf,
  type Layout,
  layoutOf,
  noRuns,
  type Runs,
  vectorLayout,
} from "./real-positions.js";
import { reusedOutputs } from "./reused-outputs.js";
import { type Batches, readMask, samplesOf, type TokenMask } from "./token-mask.js";

/** Vectors along the last axis of a value. */
export interface Vectors {
  /** [count, width]; valid until the next value is shown. */
  readonly data: Float32Array;
  readonly count: number;
  readonly width: number;
}

/** A value of one run, and which of its elements stand for real tokens. */
export interface TappedValue {
  readonly name: string;
  readonly shape: readonly number[];
  /** All elements, padding included; memory that the next run may write into. */
  readonly data: Float32Array;
  /** Number of the run's first sample, from 0. */
  readonly firstSample: number;
  /** Samples in it; 1 of a value without a batch axis, which is one sample of each run. */
  readonly samples: number;
  /** Where the real elements of one sample lie in `data`, as [from, to) pairs; valid until the next call. */
  runsOf(sample: number): Runs;
  /** The real elements in the order of memory: `data` itself or memory that the next call writes into. */
  real(): Float32Array;
  /** The vectors along the last axis that belong to real tokens, each whole. */
  vectors(): Vectors;
}

/** Sees the values of each run in turn. */
export type TapVisitor = (value: TappedValue) => void | Promise<void>;

export interface TapOptions {
  /** Stop after this many samples; the last batch is cut. Default all. */
  readonly limit?: number;
  /** Looked at before each run. */
  readonly signal?: AbortSignal;
  /** Called after each batch with the samples so far. */
  readonly onProgress?: (samples: number) => void;
  /** Whether integers and truth values are shown too, as the nearest float32 numbers. Default false. */
  readonly integers?: boolean;
}

export interface ModelTapOptions extends TapOptions {
  /** Default 1. */
  readonly threads?: number;
  /** What else the session is opened with. Default every optimization. */
  readonly session?: Omit<SessionOptions, "threads">;
  /**
   * Whether a name may be that of a constant, which is shown at each run. Default false: who measures activations does
   * not mean one.
   */
  readonly constants?: boolean;
  /** Opens the model that also returns the named values. Default `openSession`. */
  readonly open?: (model: ModelProto, options: SessionOptions) => Promise<Session>;
  /**
   * What else to do with the open model before it is closed: it is shown as it was given, without the values that are
   * named.
   */
  readonly use?: (session: Session) => Promise<void>;
}

const floats: ReadonlySet<DType> = new Set<DType>(["float32", "float16", "bfloat16", "float64"]);

const isShown = ({ dtype }: Tensor, integers: boolean): boolean =>
  floats.has(dtype) || (integers && wholeNumbers.has(dtype));

const asFloat32 = (value: Tensor): Float32Array =>
  value.dtype === "float32" ? (value.data as Float32Array) : toFloat32(value);

/** What all values of a tap share. */
interface Shared {
  readonly runs: Runs;
  readonly scratchOf: (length: number) => Float32Array;
}

/** What all values of a run share. */
interface Run extends Shared {
  readonly mask: TokenMask;
  readonly rows: readonly number[];
  /** Whether all rows are looked at and nothing in them is padding. */
  readonly isWhole: boolean;
  readonly firstSample: number;
}

const tappedValue = (name: string, tensor: Tensor, layout: Layout, run: Run): TappedValue => {
  const { runs, scratchOf, mask, rows, isWhole, firstSample } = run;
  const { shape } = tensor;
  const data = asFloat32(tensor);

  const runsOfRows = (of: Layout, chosen: readonly number[]): Runs => {
    runs.length = 0;
    // A value without a batch axis is there once.
    for (const row of of.axes.length === 0 ? chosen.slice(0, 1) : chosen) addRealRuns(runs, of, mask, row);
    return runs;
  };
  const realOf = (of: Layout): Float32Array => {
    if (isWhole) return data;
    const { bounds, length } = runsOfRows(of, rows);
    if (length === 0) return data.subarray(0, 0);
    if (length === 2) return data.subarray(bounds[0], bounds[1]);
    const scratch = scratchOf(elementsOf(runs));
    let at = 0;
    for (let pair = 0; pair < length; pair += 2) {
      const [from, to] = [bounds[pair] as number, bounds[pair + 1] as number];
      scratch.set(data.subarray(from, to), at);
      at += to - from;
    }
    return scratch.subarray(0, at);
  };

  return {
    name,
    shape,
    data,
    firstSample,
    samples: layout.axes.length === 0 ? 1 : rows.length,
    runsOf: (sample) => runsOfRows(layout, rows.slice(sample, sample + 1)),
    real: () => realOf(layout),
    vectors() {
      const width = shape.at(-1) ?? 1;
      const real = realOf(vectorLayout(layout, width));
      return { data: real, count: width === 0 ? 0 : real.length / width, width };
    },
  };
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

/** Runs batches through a session that may be none, where only their samples are to be counted. */
const tap = async (
  session: Session | undefined,
  tensors: readonly WatchedTensor[],
  batches: Batches,
  visit: TapVisitor,
  { limit: wanted = Number.POSITIVE_INFINITY, signal, onProgress, integers = false }: TapOptions,
): Promise<number> => {
  const run =
    session &&
    reusedOutputs(
      session,
      tensors.filter(({ isInput }) => !isInput),
    );
  const shared: Shared = { runs: noRuns(), scratchOf: growingScratch() };
  let samples = 0;
  signal?.throwIfAborted();
  for await (const batch of batches) {
    signal?.throwIfAborted();
    const { feeds } = batch;
    const mask = readMask(batch);
    const rows = samplesOf(mask, wanted - samples);
    if (rows.length > 0) {
      const results = await run?.(feeds);
      const axes = inputAxesOf(session?.inputs ?? [], feeds, mask);
      const isWhole = rows.length === mask.rows && mask.real?.includes(0) !== true;
      const thisRun: Run = { ...shared, mask, rows, isWhole, firstSample: samples };
      for (const { name, isInput, shape } of tensors) {
        const value = isInput ? feeds[name] : results?.[name];
        if (value === undefined || !isShown(value, integers)) continue;
        const layout = layoutOf(value.shape, mask, axisRoles(shape ?? [], axes));
        await visit(tappedValue(name, value, layout, thisRun));
      }
      samples += rows.length;
      onProgress?.(samples);
    }
    if (samples >= wanted) break;
  }
  return samples;
};

/**
 * Runs a float model over batches and shows the named activations of each run: the one way in which anything here looks
 * into a model.
 *
 * **What counts as real**, for whoever measures anything on batches:
 *
 * - A row of the mask with a real token is a sample; a row without any is none, and nothing of it is shown.
 * - Padding never counts. Of a value with a batch axis, everything at a padded position of a sample is left out, on
 *   every axis that runs over positions, whatever it holds: rows of padding, and scores towards padding.
 * - The batch axis is axis 0 where its size is the batch's; else a flattened [batch · length] axis; else the first axis
 *   of that size behind an axis 0 of positions. An axis runs over positions where its size is the batch's length. What
 *   the model says of an axis goes first: a size that it fixes is neither (unless its inputs are fixed so), and a named
 *   axis is what the inputs call by that name.
 * - A value without a batch axis (a table of positions, the distinct words of a batch) is one sample of each run, and
 *   whole.
 * - Vectors along the last axis are whole, also where that axis runs over positions: they are what a product
 *   multiplies.
 * - A masked score (`−∞`, −10,000) at a real position is shown: only who measures ranges can leave single values out,
 *   and does.
 *
 * One batch is held at a time; values of known shape are written into the same memory at each run. Without names, and
 * nobody to use the model, none is opened.
 *
 * @param model not changed
 * @param names activations of the main graph, graph inputs included
 * @param batches of any lengths, each with a mask where there is padding
 * @param visit sees each value of each run, in the order of the names
 * @returns samples that were run
 * @throws CalibrationError `unknown-tensor`, `unsupported-dtype`, `mask-shape`; the signal's reason; RuntimeError as
 *   `openSession` and `run`
 * @example
 * ```ts
 * await tapActivations(model, ["/encoder/output"], batches, (value) => {
 *   const { data, count, width } = value.vectors(); // [count, width], real tokens only
 * });
 * ```
 */
export const tapActivations = async (
  model: ModelProto,
  names: readonly string[],
  batches: Batches,
  visit: TapVisitor,
  {
    threads = 1,
    session: sessionOptions,
    constants = false,
    open = openSession,
    use,
    ...options
  }: ModelTapOptions = {},
): Promise<number> => {
  options.signal?.throwIfAborted();
  if (names.length === 0 && use === undefined) return tap(undefined, [], batches, visit, options);
  const { model: observed, tensors } = observedModel(model, names, {
    constants,
    integers: options.integers === true,
  });
  const session = await open(observed, { ...sessionOptions, threads });
  try {
    const samples = await tap(session, tensors, batches, visit, options);
    await use?.(withOutputsOf(model, session));
    return samples;
  } finally {
    await session.close();
  }
};

/**
 * The same for the float outputs of a model that is open already; it stays open.
 *
 * @throws CalibrationError `mask-shape`; the signal's reason; RuntimeError as `run`
 */
export const tapOutputs = (
  session: Session,
  batches: Batches,
  visit: TapVisitor,
  options: TapOptions = {},
): Promise<number> => {
  const tensors = session.outputs.map(
    ({ name, dtype, shape }): WatchedTensor => ({ name, isInput: false, dtype, shape, isReused: false }),
  );
  return tap(session, tensors, batches, visit, options);
};
