import { CoreError } from "./core-error.js";

/**
 * Packs 4-bit values two to a byte, low nibble first; an odd count leaves the last high nibble 0.
 *
 * Source: ONNX 1.22, TensorProto INT4/UINT4.
 *
 * @param values −8..15 each; only the low four bits are kept.
 * @example packInt4(new Int8Array([1, -1, 7])); // Uint8Array [0xf1, 0x07]
 */
export function packInt4(values: Int8Array | Uint8Array): Uint8Array {
  const source = new Uint8Array(values.buffer, values.byteOffset, values.length);
  const packed = new Uint8Array((source.length + 1) >> 1);
  const pairs = source.length >> 1;
  for (let i = 0, j = 0; i < pairs; i++, j += 2) {
    packed[i] = ((source[j] as number) & 15) | (((source[j + 1] as number) & 15) << 4);
  }
  if (source.length % 2 === 1) packed[pairs] = (source[source.length - 1] as number) & 15;
  return packed;
}

/** Unpacks unsigned 4-bit values, see {@link unpackInt4}. */
export function unpackInt4(bytes: Uint8Array, count: number, signed: false): Uint8Array;
/** Unpacks signed 4-bit values, see {@link unpackInt4}. */
export function unpackInt4(bytes: Uint8Array, count: number, signed: true): Int8Array;
/**
 * Unpacks 4-bit values, low nibble first.
 *
 * @param bytes ⌈count / 2⌉ bytes.
 * @param count number of values; the high nibble after an odd count is ignored.
 * @param signed sign-extends: nibble 15 is −1 and not 15.
 * @throws CoreError `length` when the bytes do not hold exactly `count` values.
 * @example unpackInt4(new Uint8Array([0xf1, 0x07]), 3, true); // Int8Array [1, -1, 7]
 */
export function unpackInt4(bytes: Uint8Array, count: number, signed: boolean): Int8Array | Uint8Array;
export function unpackInt4(bytes: Uint8Array, count: number, signed: boolean): Int8Array | Uint8Array {
  if (bytes.length !== Math.ceil(count / 2)) {
    throw new CoreError(
      "length",
      `unpackInt4: ${count} values: bytes: expected ${Math.ceil(count / 2)}, got ${bytes.length}`,
      { expected: Math.ceil(count / 2), got: bytes.length },
    );
  }
  const values = new Uint8Array(count);
  // (n ^ 8) - 8 extends bit 3; with 0 in place of 8 it leaves the nibble alone.
  const sign = signed ? 8 : 0;
  const pairs = count >> 1;
  for (let i = 0, j = 0; i < pairs; i++, j += 2) {
    const byte = bytes[i] as number;
    values[j] = ((byte & 15) ^ sign) - sign;
    values[j + 1] = ((byte >> 4) ^ sign) - sign;
  }
  if (count % 2 === 1) values[count - 1] = (((bytes[pairs] as number) & 15) ^ sign) - sign;
  return signed ? new Int8Array(values.buffer) : values;
}
