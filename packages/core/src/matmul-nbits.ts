import { CoreError } from "./core-error.js";
import type { Tensor } from "./tensor.js";

/** How {@link quantizeMatMulNBits} quantizes. */
export interface MatMulNBitsOptions {
  /** Rows of K that share a scale: a power of two of at least 16. */
  readonly blockSize: number;
  /** Without zero points (they are 2^(bits − 1)), or with one a block. */
  readonly symmetric: boolean;
  readonly bits: 4 | 8;
}

/** The constant inputs of a MatMulNBits node. */
export interface MatMulNBitsWeight {
  readonly K: number;
  readonly N: number;
  readonly blockSize: number;
  readonly bits: 4 | 8;
  /** [N, blocks, blockSize · bits / 8], low nibble first along K; the tail of the last block holds the zero point. */
  readonly B: Tensor<"uint8">;
  /** [N, blocks]; symmetric scales may be negative. */
  readonly scales: Tensor<"float32">;
  /** [N, ⌈blocks · bits / 8⌉], asymmetric only. */
  readonly zeroPoints?: Tensor<"uint8">;
}

// Columns that are worked on together: their part of a block of rows and of the result stays in the first-level cache.
const tileColumns = 64;

function checkWeight(
  weight: Tensor<"float32">,
  { blockSize, bits }: MatMulNBitsOptions,
): readonly [number, number] {
  if (weight.shape.length !== 2) {
    throw new CoreError(
      "shape",
      `quantizeMatMulNBits: weight: rank: expected 2 ([K, N]), got ${weight.shape.length} ([${weight.shape.join(", ")}])`,
      { shape: weight.shape },
    );
  }
  if (!Number.isInteger(blockSize) || blockSize < 16 || !Number.isInteger(Math.log2(blockSize))) {
    throw new CoreError(
      "block-size",
      `quantizeMatMulNBits: block size: value: expected a power of two of at least 16, got ${blockSize}`,
      { blockSize },
    );
  }
  if (bits !== 4 && bits !== 8) {
    throw new CoreError("bits", `quantizeMatMulNBits: bits: value: expected 4 or 8, got ${String(bits)}`, {
      bits,
    });
  }
  return weight.shape as unknown as readonly [number, number];
}

interface Tile {
  readonly data: Float32Array;
  readonly N: number;
  readonly firstColumn: number;
  readonly columns: number;
  readonly firstRow: number;
  readonly lastRow: number;
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly reciprocal: Float32Array;
  readonly zeroPoint: Uint8Array;
}

function findRanges({ data, N, firstColumn, columns, firstRow, lastRow, low, high }: Tile): boolean {
  low.fill(0);
  high.fill(0);
  let sawNaN = false;
  for (let k = firstRow; k < lastRow; k++) {
    for (let c = 0, i = k * N + firstColumn; c < columns; c++, i++) {
      const value = data[i] as number;
      if (!(value >= (low[c] as number))) {
        if (value < (low[c] as number)) low[c] = value;
        else sawNaN = true;
      } else if (value > (high[c] as number)) high[c] = value;
    }
  }
  for (let c = 0; c < columns; c++) if (low[c] === -Infinity || high[c] === Infinity) sawNaN = true;
  return sawNaN;
}

// All in float32, as the runtime's own quantizer: v · (1/scale) + zero point, halves away from zero, clamped.
function quantized(value: number, reciprocal: number, zeroPoint: number, quantMax: number): number {
  const real = Math.fround(Math.fround(value * reciprocal) + zeroPoint);
  if (!(real > 0)) return 0;
  return real >= quantMax ? quantMax : (real + 0.5) | 0;
}

function writeTile(
  tile: Tile,
  B: Uint8Array,
  blob: number,
  stride: number,
  offset: number,
  bits: 4 | 8,
): void {
  const { data, N, firstColumn, columns, firstRow, lastRow, reciprocal, zeroPoint } = tile;
  const quantMax = bits === 4 ? 15 : 255;
  const rows = bits === 4 ? blob * 2 : blob;
  for (let r = 0; r < rows; r++) {
    const shift = bits === 4 && r % 2 === 1 ? 4 : 0;
    const inside = firstRow + r < lastRow;
    let at = offset + (bits === 4 ? r >> 1 : r);
    for (let c = 0, i = (firstRow + r) * N + firstColumn; c < columns; c++, i++, at += stride) {
      const zero = zeroPoint[c] as number;
      const q = inside ? quantized(data[i] as number, reciprocal[c] as number, zero, quantMax) : zero;
      B[at] = (B[at] as number) | (q << shift);
    }
  }
}

/** Scale of one block in float32; the zero point through `zeroPoint[c]`. */
function chooseBlockScale(
  low: number,
  high: number,
  symmetric: boolean,
  bits: 4 | 8,
): { scale: number; zero: number } {
  const middle = bits === 4 ? 8 : 128;
  const quantMax = bits === 4 ? 15 : 255;
  if (symmetric) {
    const largest = Math.abs(high) > Math.abs(low) ? high : low;
    return { scale: largest === 0 ? 0 : Math.fround(largest / -middle), zero: middle };
  }
  const scale = Math.fround(Math.fround(high - low) / quantMax);
  if (scale === 0) return { scale: 0, zero: 0 };
  return { scale, zero: Math.min(quantMax, Math.max(0, Math.floor(Math.fround(-low / scale) + 0.5))) };
}

/**
 * Quantizes a weight block-wise along K for the operator MatMulNBits of ONNX Runtime.
 *
 * ```
 * symmetric:  scale = −(signed value of largest magnitude) / 2^(bits−1), zero point 2^(bits−1), not stored
 * asymmetric: scale = (max − min) / (2^bits − 1), zero point = clamp(roundHalfAway(−min / scale)); the range contains 0
 * q = clamp(roundHalfAway(v · (1/scale) + zero point), 0, 2^bits − 1)
 * ```
 * all in float32. A block of zeros gets scale 0.
 *
 * @param weight float32 [K, N].
 * @param options blockSize, symmetric, bits.
 * @throws CoreError `shape` for another rank, `block-size`, `bits`, `not-finite` naming the first NaN or infinity.
 * Source: ONNX Runtime 1.30, com.microsoft.MatMulNBits and its block-wise quantizer.
 * @example
 * quantizeMatMulNBits(tensor("float32", [32, 1], new Float32Array(32).fill(1)), { blockSize: 32, symmetric: true, bits: 4 });
 * // scales [-0.125], every nibble 0
 */
export function quantizeMatMulNBits(
  weight: Tensor<"float32">,
  options: MatMulNBitsOptions,
): MatMulNBitsWeight {
  const [K, N] = checkWeight(weight, options);
  const { blockSize, symmetric, bits } = options;
  const blocks = Math.ceil(K / blockSize);
  const blob = (blockSize * bits) / 8;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const B = new Uint8Array(N * blocks * blob);
  const scales = new Float32Array(N * blocks);
  const zeroPoints = symmetric ? undefined : new Uint8Array(N * zeroBytes);
  const low = new Float32Array(tileColumns);
  const high = new Float32Array(tileColumns);
  const reciprocal = new Float32Array(tileColumns);
  const zeroPoint = new Uint8Array(tileColumns);
  const { data } = weight;
  for (let firstColumn = 0; firstColumn < N; firstColumn += tileColumns) {
    const columns = Math.min(tileColumns, N - firstColumn);
    for (let block = 0; block < blocks; block++) {
      const firstRow = block * blockSize;
      const lastRow = Math.min(K, firstRow + blockSize);
      const tile: Tile = {
        data,
        N,
        firstColumn,
        columns,
        firstRow,
        lastRow,
        low,
        high,
        reciprocal,
        zeroPoint,
      };
      if (findRanges(tile)) {
        const index = data.findIndex((value) => !Number.isFinite(value));
        throw new CoreError(
          "not-finite",
          `quantizeMatMulNBits: element ${index}: value: expected a finite number, got ${data[index]}`,
          { index },
        );
      }
      for (let c = 0; c < columns; c++) {
        const { scale, zero } = chooseBlockScale(low[c] as number, high[c] as number, symmetric, bits);
        const column = firstColumn + c;
        scales[column * blocks + block] = scale;
        reciprocal[c] = scale === 0 ? 0 : 1 / scale;
        zeroPoint[c] = zero;
        if (zeroPoints !== undefined) {
          const at = column * zeroBytes + (bits === 4 ? block >> 1 : block);
          zeroPoints[at] = (zeroPoints[at] as number) | (zero << (bits === 4 && block % 2 === 1 ? 4 : 0));
        }
      }
      writeTile(tile, B, blob, blocks * blob, (firstColumn * blocks + block) * blob, bits);
    }
  }
  return {
    K,
    N,
    blockSize,
    bits,
    B: { dtype: "uint8", shape: [N, blocks, blob], data: B },
    scales: { dtype: "float32", shape: [N, blocks], data: scales },
    ...(zeroPoints && { zeroPoints: { dtype: "uint8", shape: [N, zeroBytes], data: zeroPoints } as const }),
  };
}

function checkPacked({ K, N, blockSize, bits, B, scales, zeroPoints }: MatMulNBitsWeight): number {
  const blocks = Math.ceil(K / blockSize);
  const expected: readonly (readonly [string, number, number])[] = [
    ["B", N * blocks * ((blockSize * bits) / 8), B.data.length],
    ["scales", N * blocks, scales.data.length],
    [
      "zero points",
      N * Math.ceil((blocks * bits) / 8),
      zeroPoints?.data.length ?? N * Math.ceil((blocks * bits) / 8),
    ],
  ];
  for (const [name, length, got] of expected) {
    if (got !== length) {
      throw new CoreError(
        "length",
        `dequantizeMatMulNBits: ${name}: length: expected ${length} (K ${K}, N ${N}, block ${blockSize}, ${bits} bits), got ${got}`,
        { expected: length, got },
      );
    }
  }
  return blocks;
}

/**
 * The real weight of a MatMulNBits node: `(q − zero point) · scale` in float32.
 *
 * @param quantized B, scales and zero points, with K, N, blockSize and bits from the node's attributes.
 * @returns float32 [K, N].
 * @throws CoreError `length` when a part has not the length that K, N, blockSize and bits ask for.
 * @example dequantizeMatMulNBits(quantizeMatMulNBits(weight, { blockSize: 32, symmetric: false, bits: 8 }));
 */
export function dequantizeMatMulNBits(quantized: MatMulNBitsWeight): Tensor<"float32"> {
  const { K, N, blockSize, bits, B, scales, zeroPoints } = quantized;
  const blocks = checkPacked(quantized);
  const blob = (blockSize * bits) / 8;
  const zeroBytes = Math.ceil((blocks * bits) / 8);
  const data = new Float32Array(K * N);
  const nibble = (bytes: Uint8Array, start: number, i: number): number =>
    bits === 8 ? (bytes[start + i] as number) : ((bytes[start + (i >> 1)] as number) >> ((i & 1) << 2)) & 15;
  for (let n = 0; n < N; n++) {
    for (let block = 0; block < blocks; block++) {
      const scale = scales.data[n * blocks + block] as number;
      const zero = zeroPoints ? nibble(zeroPoints.data, n * zeroBytes, block) : 2 ** (bits - 1);
      const firstRow = block * blockSize;
      const rows = Math.min(blockSize, K - firstRow);
      for (let r = 0; r < rows; r++) {
        data[(firstRow + r) * N + n] = (nibble(B.data, (n * blocks + block) * blob, r) - zero) * scale;
      }
    }
  }
  return { dtype: "float32", shape: [K, N], data };
}
