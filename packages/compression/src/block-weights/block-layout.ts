import { hasHalfScales, type Tensor, transposeMatrix } from "@nasty/core";
import type { PlannedTensor } from "../plan/plan.js";

/** A block-quantized weight seen as [channels, length]: blocks run along `length`. */
export interface BlockLayout {
  readonly channels: number;
  readonly length: number;
  readonly blockSize: number;
  readonly blocks: number;
  readonly bits: 4 | 8;
  /** The weight's own layout is [length, channels]. */
  readonly transposed: boolean;
  /** Only rows of it are looked up; no product reads it. */
  readonly isTable: boolean;
}

/** @returns undefined for a tensor that is not quantized in blocks */
export function blockLayout({ shape, granularity, dtype, sites }: PlannedTensor): BlockLayout | undefined {
  if (granularity.kind !== "per-block") {
    return undefined;
  }
  const { axis, blockSize } = granularity;
  const [rows = 0, columns = 0] = shape;
  const [channels, length] = axis === 1 ? [rows, columns] : [columns, rows];
  const blocks = Math.ceil(length / blockSize);
  const isTable = sites.every(({ form }) => form === "GatherBlockQuantized");
  const bits = dtype === "uint4" ? 4 : 8;
  return { channels, length, blockSize, blocks, bits, transposed: axis === 0, isTable };
}

/**
 * Whether a weight's scales are stored in 16 bits: of those that are float16 values, the ones that no product reads.
 */
export function storesHalfScales({ isTable, channels, blocks }: BlockLayout): boolean {
  return isTable && hasHalfScales(channels, blocks);
}

/** Bytes of integers, scales and zero points in the file. */
export function blockBytes(layout: BlockLayout, symmetric: boolean): number {
  const { channels, blocks, blockSize, bits } = layout;
  const zeros = symmetric ? 0 : channels * Math.ceil((blocks * bits) / 8);
  return channels * blocks * ((blockSize * bits) / 8 + (storesHalfScales(layout) ? 2 : 4)) + zeros;
}

/** The weight as [channels, length]; a view of it if that is its own layout. */
export function channelRows(
  { data }: Tensor<"float32">,
  { channels, length, transposed }: BlockLayout,
): Float32Array {
  return transposed ? transposeMatrix(data, length, channels) : data;
}
