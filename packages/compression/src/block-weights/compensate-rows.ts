import {
  type BlockParameters,
  blockReciprocal,
  type BlockRows,
  type BlockScheme,
  chooseBlock,
  decibels,
  quantizeInBlock,
} from "@nasty/core";

/** Channels that are worked on together: their errors stay in the second-level cache. */
const tileChannels = 32;

/** out[c] += Σ_{j in from..to} errors[j, c] · factor[row, j] */
function addCorrections(
  out: Float64Array,
  outAt: number,
  errors: Float64Array,
  factor: Float64Array,
  rowAt: number,
  from: number,
  to: number,
): void {
  for (let j = from; j < to; j++) {
    const coefficient = factor[rowAt + j] as number;
    const base = j * tileChannels;
    for (let c = 0; c < tileChannels; c++) {
      out[outAt + c] = (out[outAt + c] as number) + coefficient * (errors[base + c] as number);
    }
  }
}

/**
 * Quantizes a matrix block-wise, each weight making up for the rounding of those before it.
 *
 * @param rows float32 [channels, length]
 * @param factor of `compensationFactor`, [length, length]
 */
export function compensateRows(rows: Float32Array, factor: Float64Array, scheme: BlockScheme): BlockRows {
  const { channels, length, blockSize, bits } = scheme;
  const blocks = Math.ceil(length / blockSize);
  const quantMax = bits === 4 ? 15 : 255;
  const data = new Uint8Array(channels * length);
  const scale = new Float32Array(channels * blocks);
  const zeroPoint = new Int32Array(channels * blocks);
  const errors = new Float64Array(length * tileChannels);
  const adjusted = new Float64Array(blockSize * tileChannels);
  const values = new Float64Array(blockSize);
  const parameters: BlockParameters = { scale: 0, zeroPoint: 0 };
  let signal = 0;
  let noise = 0;
  for (let first = 0; first < channels; first += tileChannels) {
    const columns = Math.min(tileChannels, channels - first);
    errors.fill(0);
    for (let block = 0; block < blocks; block++) {
      const from = block * blockSize;
      const to = Math.min(length, from + blockSize);
      for (let k = from; k < to; k++) {
        const at = (k - from) * tileChannels;
        for (let c = 0; c < columns; c++) adjusted[at + c] = rows[(first + c) * length + k] as number;
        addCorrections(adjusted, at, errors, factor, k * length, 0, from);
      }
      for (let c = 0; c < columns; c++) {
        for (let k = from; k < to; k++) values[k - from] = adjusted[(k - from) * tileChannels + c] as number;
        chooseBlock(values, 0, to - from, scheme, parameters);
        scale[(first + c) * blocks + block] = parameters.scale;
        zeroPoint[(first + c) * blocks + block] = parameters.zeroPoint;
      }
      for (let k = from; k < to; k++) {
        const at = (k - from) * tileChannels;
        addCorrections(adjusted, at, errors, factor, k * length, from, k);
        for (let c = 0; c < columns; c++) {
          const group = (first + c) * blocks + block;
          const s = scale[group] as number;
          const z = zeroPoint[group] as number;
          const q = quantizeInBlock(adjusted[at + c] as number, blockReciprocal(s), z, quantMax);
          const index = (first + c) * length + k;
          const value = rows[index] as number;
          const error = value - (q - z) * s;
          data[index] = q;
          errors[k * tileChannels + c] = error;
          signal += value * value;
          noise += error * error;
        }
      }
    }
  }
  return { data, scale, zeroPoint, sqnrDb: decibels(signal, noise) };
}
