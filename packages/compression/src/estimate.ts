import { elementCount } from "@nasty/core";
import {
  FormatError,
  modelChunks,
  tensorsOf,
  TensorProto_DataType,
  type ModelProto,
} from "@nasty/formats/onnx";
import { planDynamic, type DynamicOptions } from "./dynamic.js";
import { finishQuantization } from "./finish-quantization.js";
import type { PlannedTensor, QuantizationPlan } from "./plan.js";
import { sizesOnly } from "./weight-quantizer.js";

/** What {@link estimate} takes. */
export interface EstimateOptions {
  /** Options of the dynamic int8 file that is predicted. */
  readonly int8?: DynamicOptions;
  /** Bytes that the writer will add to any file: a tokenizer, labels. Default 0. */
  readonly extraBytes?: number;
}

/** Sizes in bytes; ratios are float32 over the mode. */
export interface SizeEstimate {
  /** Elements of all floating-point constants. */
  readonly parameters: number;
  readonly sizes: {
    readonly float32: { readonly bytes: number };
    readonly int8: { readonly bytes: number; readonly ratio: number };
    readonly int4: { readonly bytes: number; readonly ratio: number };
  };
  /** Growth of a process that loads the model and runs a sentence. */
  readonly memory: {
    readonly float32: { readonly bytes: number };
    readonly int8: { readonly bytes: number };
  };
}

const floats = new Set<number>([
  TensorProto_DataType.FLOAT,
  TensorProto_DataType.DOUBLE,
  TensorProto_DataType.FLOAT16,
  TensorProto_DataType.BFLOAT16,
]);

function parametersOf(model: ModelProto): number {
  let parameters = 0;
  for (const { tensor } of tensorsOf(model)) {
    if (floats.has(tensor.dataType)) {
      parameters += elementCount(tensor.dims.map(Number));
    }
  }
  return parameters;
}

/** Bytes of a model's file; its pieces are counted, not put together. */
function fileBytes(model: ModelProto): number {
  try {
    let bytes = 0;
    for (const chunk of modelChunks(model)) {
      bytes += chunk.length;
    }
    return bytes;
  } catch (error) {
    // Too large for one file, but the error knows the size.
    if (error instanceof FormatError && error.code === "limit" && typeof error.fields.got === "number") {
      return error.fields.got;
    }
    throw error;
  }
}

function quantizedBytes(model: ModelProto, plan: QuantizationPlan): number {
  return fileBytes(finishQuantization("estimate", model, plan, {}, sizesOnly).model);
}

const blockSize = 32;

/** What a matrix takes less as blocks of 4 bits with a float32 scale each than as bytes with a scale a channel. */
function int4Saving({ shape, op, granularity }: PlannedTensor): number {
  const [first = 1, second = 1] = shape;
  if (op === "LSTM" || op === "Conv" || shape.length !== 2) {
    return 0;
  }
  // Blocks run along the axis that is summed over (a matrix) or gathered whole (a table).
  const axis = op === "Gather" ? 0 : granularity.kind === "per-channel" ? granularity.axis : 1;
  const [channels, length] = axis === 0 ? [first, second] : [second, first];
  const blocks = channels * Math.ceil(length / blockSize);
  const scales = granularity.kind === "per-channel" ? 4 * (shape[granularity.axis] ?? 0) : 4;
  return first * second + scales - blocks * (blockSize / 2 + 4);
}

/**
 * What a session takes, by a fit to measured resident growth (ONNX Runtime 1.30 on Linux, a 5 M and a 109 M parameter BERT, one sentence):
 * the library's own share, tables once, and everything else once in the file's layout and largely again packed for the kernels.
 */
const memoryFit = { base: 28e6, packedFloat32: 1.68, packedInt8: 1.94 } as const;

/** Elements of tables that are only gathered from, which the runtime does not pack. */
function tableElements(tensors: readonly PlannedTensor[]): number {
  return tensors
    .filter(({ sites }) => sites.every(({ op }) => op === "Gather"))
    .reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

function memoryBytes(bytes: number, tables: number, packed: number): number {
  return Math.round(memoryFit.base + tables + packed * (bytes - tables));
}

/**
 * Predicts file sizes and memory from the graph alone: no weight is read.
 *
 * The int8 size is that of dynamic quantization with its defaults, counted on the very graph that quantizing writes, without weights.
 * The int4 size has blocks of 32 for matrices and embeddings and int8 LSTMs.
 *
 * @param model a float32 model; not changed
 * @throws CompressionError as `dynamic.plan`
 * @example
 * const { sizes } = estimate(model); // sizes.int8.ratio is about 3.9
 */
export function estimate(
  model: ModelProto,
  { int8 = {}, extraBytes = 0 }: EstimateOptions = {},
): SizeEstimate {
  const plan = planDynamic(model, int8);
  const float32 = fileBytes(model) + extraBytes;
  const quantized = plan.tensors.length === 0 ? float32 : quantizedBytes(model, plan) + extraBytes;
  const int4 = quantized - plan.tensors.reduce((sum, planned) => sum + int4Saving(planned), 0);
  const tables = tableElements(plan.tensors);
  return {
    parameters: parametersOf(model),
    sizes: {
      float32: { bytes: float32 },
      int8: { bytes: quantized, ratio: float32 / quantized },
      int4: { bytes: int4, ratio: float32 / int4 },
    },
    memory: {
      float32: { bytes: memoryBytes(float32, 4 * tables, memoryFit.packedFloat32) },
      int8: { bytes: memoryBytes(quantized, tables, memoryFit.packedInt8) },
    },
  };
}
