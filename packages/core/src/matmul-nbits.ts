import { packBlocks, packBlockZeroPoints } from "./block-packing.js";
import { fullRange, quantizeBlockRows } from "./block-rows.js";
import { CoreError } from "./core-error.js";
import type { Tensor } from "./tensor.js";
import { transposeMatrix } from "./transpose-matrix.js";

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

function checkFinite(data: Float32Array): void {
  let index = 0;
  while (index < data.length && Math.abs(data[index] as number) < Infinity) index++;
  if (index === data.length) return;
  throw new CoreError(
    "not-finite",
    `quantizeMatMulNBits: element ${index}: value: expected a finite number, got ${data[index]}`,
    { index },
  );
}

/**
 * Quantizes a weight block-wise along K for the operator MatMulNBits of ONNX Runtime.
 *
 * The arithmetic is that of {@link quantizeBlockRows}, over the full range of each block; symmetric zero points are not
 * stored.
 *
 * @param weight float32 [K, N].
 * @param options blockSize, symmetric, bits.
 * @throws CoreError `shape` for another rank, `block-size`, `bits`, `not-finite` naming the first NaN or infinity.
 * Source: ONNX Runtime 1.30, com.microsoft.MatMulNBits and its block-wise quantizer.
 * @example quantizeMatMulNBits(tensor("float32", [32, 1], new Float32Array(32).fill(1)), { blockSize: 32, symmetric:
 *   true, bits: 4 }); // scales [-0.125], every nibble 0
 */
export function quantizeMatMulNBits(
  weight: Tensor<"float32">,
  options: MatMulNBitsOptions,
): MatMulNBitsWeight {
  const [K, N] = checkWeight(weight, options);
  checkFinite(weight.data);
  const { blockSize, symmetric, bits } = options;
  const layout = { channels: N, length: K, blockSize, bits };
  const rows = quantizeBlockRows(transposeMatrix(weight.data, K, N), {
    ...layout,
    symmetric,
    shrink: fullRange,
  });
  const blocks = Math.ceil(K / blockSize);
  return {
    K,
    N,
    blockSize,
    bits,
    B: { dtype: "uint8", shape: [N, blocks, (blockSize * bits) / 8], data: packBlocks(rows, layout) },
    scales: { dtype: "float32", shape: [N, blocks], data: rows.scale },
    ...(!symmetric && {
      zeroPoints: {
        dtype: "uint8",
        shape: [N, Math.ceil((blocks * bits) / 8)],
        data: packBlockZeroPoints(rows.zeroPoint, layout),
      } as const,
    }),
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
