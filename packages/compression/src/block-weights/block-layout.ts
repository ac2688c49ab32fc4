import type { Tensor } from "@nasty/core";
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

/** Scales from which on a file may keep them in 16 bits: fewer would not pay for the node that makes them float32 again. */
const fewestHalfScales = 256;

/** Whether a weight's scales are rounded to float16: 11 bits of precision are many more than the integers have. */
export function hasHalfScales({ channels, blocks }: Pick<BlockLayout, "channels" | "blocks">): boolean {
  return channels * blocks >= fewestHalfScales;
}

/** Whether they are stored in 16 bits too. */
export function storesHalfScales(layout: BlockLayout): boolean {
  return layout.isTable && hasHalfScales(layout);
}

/** Bytes of integers, scales and zero points in the file. */
export function blockBytes(layout: BlockLayout, symmetric: boolean): number {
  const { channels, blocks, blockSize, bits } = layout;
  const zeros = symmetric ? 0 : channels * Math.ceil((blocks * bits) / 8);
  return channels * blocks * ((blockSize * bits) / 8 + (storesHalfScales(layout) ? 2 : 4)) + zeros;
}

const tile = 32;

/** The weight as [channels, length]; a view of it if that is its own layout. */
export function channelRows(weight: Tensor<"float32">, layout: BlockLayout): Float32Array {
  const { channels, length, transposed } = layout;
  const { data } = weight;
  if (!transposed) {
    return data;
  }
  const rows = new Float32Array(data.length);
  for (let k0 = 0; k0 < length; k0 += tile) {
    const kEnd = Math.min(length, k0 + tile);
    for (let n0 = 0; n0 < channels; n0 += tile) {
      const nEnd = Math.min(channels, n0 + tile);
      for (let k = k0; k < kEnd; k++) {
        for (let n = n0; n < nEnd; n++) rows[n * length + k] = data[k * channels + n] as number;
      }
    }
  }
  return rows;
}

/**
 * Packs integers [channels, length] into blobs [channels, blocks, blockSize · bits / 8], low nibble first; what the last block has too many
 * holds the zero point, which is a real 0.
 */
export function packBlobs(
  data: Uint8Array,
  zeroPoint: Int32Array,
  { channels, length, blockSize, blocks, bits }: BlockLayout,
): Uint8Array {
  const blob = (blockSize * bits) / 8;
  const packed = new Uint8Array(channels * blocks * blob);
  for (let group = 0; group < channels * blocks; group++) {
    const channel = Math.floor(group / blocks);
    const first = (group % blocks) * blockSize;
    const zero = zeroPoint[group] as number;
    const at = (r: number): number =>
      first + r < length ? (data[channel * length + first + r] as number) : zero;
    for (let byte = 0; byte < blob; byte++) {
      packed[group * blob + byte] = bits === 8 ? at(byte) : at(2 * byte) | (at(2 * byte + 1) << 4);
    }
  }
  return packed;
}

/** Packs one value a block, [channels, blocks], each channel from a byte of its own: [channels, ⌈blocks · bits / 8⌉]. */
export function packZeroPoints(zeroPoint: Int32Array, { channels, blocks, bits }: BlockLayout): Uint8Array {
  if (bits === 8) {
    return Uint8Array.from(zeroPoint);
  }
  const bytes = Math.ceil(blocks / 2);
  const packed = new Uint8Array(channels * bytes);
  for (let channel = 0; channel < channels; channel++) {
    for (let block = 0; block < blocks; block++) {
      const at = channel * bytes + (block >> 1);
      packed[at] =
        (packed[at] as number) | ((zeroPoint[channel * blocks + block] as number) << (4 * (block % 2)));
    }
  }
  return packed;
}

/** Packs rows without padding: [channels, length · bits / 8]. */
export function packRows(data: Uint8Array, bits: 4 | 8): Uint8Array {
  return bits === 8
    ? data
    : Uint8Array.from(
        { length: data.length / 2 },
        (_, byte) => (data[2 * byte] as number) | ((data[2 * byte + 1] as number) << 4),
      );
}
