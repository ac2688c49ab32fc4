import { elementCount, perBlock, perTensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { CompressionError } from "../compression-error.js";
import { conditionWarnings, graphCondition } from "../plan/graph-condition.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { Int4Plan, Pairs, PlannedTensor, QuantizedForm, WeightOnlyPlan } from "../plan/plan.js";
import { chosenOptions, modelWarnings } from "../plan/plan-options.js";
import { planWeights, type WeightOptions } from "../plan/plan-weights.js";
import type { WeightSite } from "../plan/weight-sites.js";
import { blockLayout } from "./block-layout.js";

/** How weights of 4 or 8 bits are chosen. */
export interface BlockOptions
  extends Pick<WeightOptions, "symmetric" | "skipLayers" | "opTypes" | "minimumElements"> {
  /**
   * Whether the int8 LSTMs of a plan of 4 bits must be exact on every processor. Default `safe`; a plan of 8 bits has
   * none.
   */
  readonly pairs?: Pairs;
  /**
   * One scale a gate row of the int8 LSTMs of a plan of 4 bits instead of one a direction. Default true; a plan of 8
   * bits has none.
   */
  readonly perChannel?: boolean;
  /** 7-bit weights of the int8 LSTMs of a plan of 4 bits. Default false; a plan of 8 bits has none. */
  readonly reduceRange?: boolean;
  /**
   * Weights along the summed axis that share a scale: 16, 32, 64, 128 or 256. Default 64 for 8 bits; for 4 bits 32, and
   * 64 from 50 million weights on, where scales of 32 would be a fifth of a large file.
   */
  readonly blockSize?: number;
  /**
   * `nearest` takes each block's full range; `mse` the part of it that loses least; `gptq` lets later weights of a
   * product make up for the rounding of earlier ones, by the activations of calibration data. Default nearest.
   */
  readonly rounding?: BlockRounding;
  /**
   * What the kernel may round activations to: 4 int8 (fast), 3 bfloat16, 2 float16, 1 float32, 0 the runtime's choice.
   * Default 4.
   */
  readonly accuracyLevel?: 0 | 1 | 2 | 3 | 4;
}

export type BlockRounding = "nearest" | "mse" | "gptq";

type Bits = 4 | 8;

/** From this many on blocks of 4 bits are larger unless their size is asked for. */
const manyWeights = 50e6;

const roundings: readonly string[] = ["nearest", "mse", "gptq"];
const operations = { 4: "int4.plan", 8: "weightOnly.plan" } as const;

function defaultsOf(bits: Bits): Required<BlockOptions> {
  return {
    symmetric: true,
    pairs: "safe",
    perChannel: true,
    reduceRange: false,
    skipLayers: [],
    opTypes: bits === 4 ? ["MatMul", "Gemm", "Gather", "LSTM"] : ["MatMul", "Gemm", "Gather"],
    minimumElements: 64,
    blockSize: bits === 4 ? 32 : 64,
    rounding: "nearest",
    accuracyLevel: 4,
  };
}

function checkOptions(
  operation: string,
  { blockSize, rounding, accuracyLevel }: Required<BlockOptions>,
): void {
  const refuse = (what: string, expected: string, got: unknown): never => {
    throw new CompressionError(
      "invalid-option",
      `${operation}: ${what}: value: expected ${expected}, got ${String(got)}`,
    );
  };
  if (![16, 32, 64, 128, 256].includes(blockSize)) refuse("blockSize", "16, 32, 64, 128 or 256", blockSize);
  if (!roundings.includes(rounding)) refuse("rounding", roundings.join(", "), rounding);
  if (![0, 1, 2, 3, 4].includes(accuracyLevel)) refuse("accuracyLevel", "0, 1, 2, 3 or 4", accuracyLevel);
}

/** Options that only the int8 LSTMs of a plan of 4 bits have a use for. */
function checkWithoutLstm(operation: string, { pairs, perChannel, reduceRange }: BlockOptions): void {
  const unused = {
    pairs: [pairs === "full", "safe", pairs],
    perChannel: [perChannel === false, true, perChannel],
    reduceRange: [reduceRange === true, false, reduceRange],
  };
  for (const [name, [isGiven, expected, got]] of Object.entries(unused)) {
    if (isGiven !== true) continue;
    throw new CompressionError(
      "invalid-option",
      `${operation}: ${name}: value: expected ${String(expected)} (8-bit blocks have scales of their own and kernels that are exact everywhere), got ${String(got)}`,
    );
  }
}

function withoutLstmOptions(chosen: Required<BlockOptions>): Record<string, unknown> {
  const { pairs: _pairs, perChannel: _perChannel, reduceRange: _reduceRange, ...used } = chosen;
  return used;
}

function formFor(bits: Bits): (site: WeightSite) => QuantizedForm | { readonly reason: string } {
  return ({ op, weights }) => {
    switch (op) {
      case "MatMul":
      case "Gemm":
        return "MatMulNBits";
      case "Gather":
        return bits === 4 && (weights[0]?.shape[1] ?? 0) % 2 === 1
          ? { reason: `rows of ${weights[0]?.shape[1]} elements do not fill whole bytes of 4 bits` }
          : "GatherBlockQuantized";
      case "LSTM":
        return bits === 4
          ? "DynamicQuantizeLSTM"
          : { reason: "no LSTM kernel takes int8 weights and float activations (use dynamic quantization)" };
      case "Conv":
        return { reason: "no convolution kernel takes weights in blocks" };
      default: {
        const unreachable: never = op;
        throw new TypeError(`${operations[bits]}: ${String(unreachable)}`);
      }
    }
  };
}

/** A planned weight in blocks along the axis that its products sum over, or its rows if it is only gathered from. */
function inBlocks(
  planned: PlannedTensor,
  bits: Bits,
  { blockSize, symmetric, perChannel }: Required<BlockOptions>,
): PlannedTensor[] {
  const { sites, granularity } = planned;
  if (sites.some(({ form }) => form === "DynamicQuantizeLSTM")) {
    return [perChannel ? planned : { ...planned, granularity: perTensor }];
  }
  const products = sites.filter(({ form }) => form === "MatMulNBits");
  const gathers = sites.filter(({ form }) => form === "GatherBlockQuantized");
  const channelAxis = granularity.kind === "per-channel" ? granularity.axis : 1;
  const blocked = (axis: number, chosen: PlannedTensor["sites"]): PlannedTensor => ({
    ...planned,
    dtype: bits === 4 ? "uint4" : "uint8",
    symmetric,
    granularity: perBlock(axis, blockSize),
    sites: chosen,
  });
  const axis = products.length === 0 ? 1 : 1 - channelAxis;
  // Rows are gathered in blocks along themselves: a table that a product sums over the other way is stored for each.
  return axis === 1 || gathers.length === 0
    ? [blocked(axis, sites)]
    : [blocked(axis, products), blocked(1, gathers)];
}

function paddingWarnings(tensors: readonly PlannedTensor[], blockSize: number): string[] {
  const padded = tensors.filter((planned) => {
    const layout = blockLayout(planned);
    return layout !== undefined && layout.blocks * layout.blockSize > 1.1 * layout.length;
  });
  return padded.length === 0
    ? []
    : [
        `blocks of ${blockSize} do not fit ${padded.length} weights (${padded[0]?.name ?? ""}…): their last blocks are padded by more than a tenth; a smaller block size makes a smaller file`,
      ];
}

function planBlocks(
  model: ModelProto,
  bits: Bits,
  options: BlockOptions,
): Omit<Int4Plan, "schemaVersion" | "mode"> {
  const operation = operations[bits];
  if (bits === 8) checkWithoutLstm(operation, options);
  const asked = chosenOptions(defaultsOf(bits), options);
  checkOptions(operation, asked);
  const graph = openForCompression(model);
  // Blocks lie along the axis of channels, whatever scales LSTMs have.
  const weights = planWeights(graph, operation, { ...asked, perChannel: true }, formFor(bits));
  const elements = weights.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const isLarge = bits === 4 && options.blockSize === undefined && elements >= manyWeights;
  const chosen = isLarge ? { ...asked, blockSize: 64 } : asked;
  const tensors = weights.tensors.flatMap((planned) => inBlocks(planned, bits, chosen));
  return {
    options: bits === 4 ? { ...chosen } : withoutLstmOptions(chosen),
    tensors,
    activations: [],
    keptInFloat: weights.keptInFloat,
    warnings: [
      ...modelWarnings(model),
      ...conditionWarnings(graphCondition(graph.main)),
      ...weights.warnings,
      ...paddingWarnings(tensors, chosen.blockSize),
    ],
  };
}

/**
 * Plans weights of 4 bits in blocks: matrices for MatMulNBits, embeddings for GatherBlockQuantized, LSTMs as int8.
 *
 * @param model an unfused float32 graph; not changed
 * @throws CompressionError `no-such-layer`, `invalid-option`
 * @example
 * const plan = await int4.plan(model, { blockSize: 32, symmetric: false });
 */
export function planInt4(model: ModelProto, options: BlockOptions = {}): Int4Plan {
  return { schemaVersion: 1, mode: "int4", ...planBlocks(model, 4, options) };
}

/**
 * Plans weights of 8 bits in blocks with activations that stay float.
 *
 * @param model an unfused float32 graph; not changed
 * @throws CompressionError `no-such-layer`, `invalid-option`
 * @example
 * const plan = await weightOnly.plan(model, { accuracyLevel: 1 });
 */
export function planWeightOnly(model: ModelProto, options: BlockOptions = {}): WeightOnlyPlan {
  return { schemaVersion: 1, mode: "weight-only", ...planBlocks(model, 8, options) };
}
