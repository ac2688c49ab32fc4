import type { BlockRows, BlockScheme } from "./block-rows.js";
import { packInt4 } from "./int4.js";

type Blocks = Pick<BlockScheme, "channels" | "length" | "blockSize" | "bits">;

/**
 * Packs a matrix in blocks as MatMulNBits reads it: [channels, blocks, blockSize · bits / 8], low nibble first.
 *
 * What the last block of a row has too many holds the zero point, which is a real 0.
 *
 * @param rows data [channels, length], zero points [channels, blocks]
 */
export function packBlocks(
  { data, zeroPoint }: Pick<BlockRows, "data" | "zeroPoint">,
  { channels, length, blockSize, bits }: Blocks,
): Uint8Array {
  const blocks = Math.ceil(length / blockSize);
  const width = blocks * blockSize;
  if (width === length) return bits === 8 ? data : packInt4(data);
  const padded = new Uint8Array(channels * width);
  for (let channel = 0; channel < channels; channel++) {
    const row = data.subarray(channel * length, (channel + 1) * length);
    padded.fill(zeroPoint[(channel + 1) * blocks - 1] as number, channel * width, (channel + 1) * width);
    padded.set(row, channel * width);
  }
  return bits === 8 ? padded : packInt4(padded);
}

/**
 * Packs one zero point a block, [channels, blocks], each channel from a byte of its own: [channels, ⌈blocks · bits /
 * 8⌉].
 */
export function packBlockZeroPoints(
  zeroPoint: Int32Array,
  { channels, length, blockSize, bits }: Blocks,
): Uint8Array {
  if (bits === 8) return Uint8Array.from(zeroPoint);
  const blocks = Math.ceil(length / blockSize);
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
