import type { CalibrationTable } from "@nasty/calibration";
import { elementCount } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { parameterCount } from "@nasty/graph";
import { planInt4, planWeightOnly, type BlockOptions } from "../block-weights/weight-only.js";
import { planDynamic, type DynamicOptions } from "../modes/dynamic.js";
import { liveActivationBytes } from "../rewrite/live-activations.js";
import { int8Activations, planFromTable, type StaticOptions } from "../modes/int8.js";
import { prepareModel } from "../files/open-for-compression.js";
import type { PlannedTensor, StaticPlan } from "../plan/plan.js";
import { fileBytes, predictedBytes } from "./predicted-bytes.js";

/** What {@link estimate} takes. */
export interface EstimateOptions {
  /** Options of the file of dynamic quantization. */
  readonly dynamic?: DynamicOptions;
  /** Options of the file of static quantization. */
  readonly static?: StaticOptions;
  /** Options of the int4 file. */
  readonly int4?: BlockOptions;
  /** Options of the file with 8-bit weights and float activations. */
  readonly weightOnly?: BlockOptions;
  /** Bytes that the writer will add to any file: a tokenizer, labels. Default 0. */
  readonly extraBytes?: number;
}

/** Sizes in bytes; ratios are float32 over the mode. */
export interface SizeEstimate {
  /**
   * Trained numbers, as `describeGraph` counts them: constants with at least one axis, without indices, scales and zero
   * points.
   */
  readonly parameters: number;
  readonly sizes: {
    readonly float32: { readonly bytes: number };
    readonly dynamic: { readonly bytes: number; readonly ratio: number };
    readonly static: { readonly bytes: number; readonly ratio: number };
    readonly int4: { readonly bytes: number; readonly ratio: number };
    readonly weightOnly: { readonly bytes: number; readonly ratio: number };
  };
  /** Growth of a process that loads the model and runs a sentence. */
  readonly memory: {
    readonly float32: { readonly bytes: number };
    readonly dynamic: { readonly bytes: number };
  };
}

/**
 * What a session takes, by a fit to measured resident growth (ONNX Runtime 1.30 on Linux; BERTs of 5 M and 109 M
 * parameters, a BiLSTM, a convolution network over 2,048 bytes): the library's own share, tables once, everything else
 * once in the file's layout and largely again packed for the kernels, and an arena for activations that grows by
 * doubling and is cut up by tensors of many sizes.
 */
const memoryFit = { base: 28e6, packedFloat32: 1.68, packedInt8: 1.94, arena: 3 } as const;

/** Elements of tables that are only gathered from, which the runtime does not pack. */
function tableElements(tensors: readonly PlannedTensor[]): number {
  return tensors
    .filter(({ sites }) => sites.every(({ op }) => op === "Gather"))
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** @param live bytes of activations that are alive at the same time */
function memoryBytes(
  bytes: number,
  { tables, packed, live }: { readonly tables: number; readonly packed: number; readonly live: number },
): number {
  return Math.round(memoryFit.base + tables + packed * (bytes - tables) + memoryFit.arena * live);
}

/**
 * A static plan with ranges that stand for measured ones: sizes do not depend on them, but for the Relu or Clip behind
 * a convolution, which goes where the range ends within its bounds, as measured ones do.
 */
function planUnmeasured(model: ModelProto, options: StaticOptions): StaticPlan {
  const names = int8Activations(model, options);
  const range = { min: 0, max: 1e-3, seenMin: 0, seenMax: 1e-3, count: 1, masked: 0 };
  const table: CalibrationTable = {
    schemaVersion: 1,
    method: "minmax",
    // They are written down with the model: values of usual length.
    parameters: { percentile: 99.99, averagingConstant: 0.01, bins: 2048 },
    samples: 200,
    tensors: Object.fromEntries(names.map((name) => [name, range])),
  };
  return planFromTable(model, options, names.length === 0 ? undefined : table);
}

/**
 * Predicts file sizes and memory from the graph alone: no weight is read.
 *
 * The static size is that of ranges measured on some hundreds of samples; each size is counted on the very graph that
 * quantizing writes, without weights.
 *
 * @param model a float32 model; not changed
 * @throws CompressionError as `dynamic.plan`
 * @example
 * const { sizes } = estimate(model); // sizes.dynamic.ratio is about 3.9
 */
export function estimate(
  given: ModelProto,
  { dynamic = {}, static: ranged = {}, int4 = {}, weightOnly = {}, extraBytes = 0 }: EstimateOptions = {},
): SizeEstimate {
  const { model } = prepareModel(given);
  const plan = planDynamic(model, dynamic);
  const float32 = fileBytes(model) + extraBytes;
  const quantized = predictedBytes(model, plan) + extraBytes;
  const sized = (bytes: number) => ({ bytes, ratio: float32 / bytes });
  const tables = tableElements(plan.tensors);
  const live = liveActivationBytes(model);
  return {
    parameters: parameterCount(model),
    sizes: {
      float32: { bytes: float32 },
      dynamic: sized(quantized),
      static: sized(predictedBytes(model, planUnmeasured(model, ranged)) + extraBytes),
      int4: sized(predictedBytes(model, planInt4(model, int4)) + extraBytes),
      weightOnly: sized(predictedBytes(model, planWeightOnly(model, weightOnly)) + extraBytes),
    },
    memory: {
      float32: { bytes: memoryBytes(float32, { tables: 4 * tables, packed: memoryFit.packedFloat32, live }) },
      dynamic: { bytes: memoryBytes(quantized, { tables, packed: memoryFit.packedInt8, live }) },
    },
  };
}
