const float64Scratch = new Float64Array(1);
const float64Words = new Uint32Array(float64Scratch.buffer);
const float32Scratch = new Float32Array(1);
const float32Word = new Uint32Array(float32Scratch.buffer);
// JavaScript does not fix the byte order of numbers in memory.
const highWord = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

// Units of the last place in 1 for the exponents −14..15.
const unitsAt = Float64Array.from({ length: 30 }, (_, i) => 2 ** (24 - i));

/**
 * The real value of IEEE binary16 bits (exact).
 *
 * @param bits 0..65535; infinities and NaN become themselves, subnormals keep their value.
 * @example float16ToFloat32(0x3c00); // 1
 */
export function float16ToFloat32(bits: number): number {
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  float32Word[0] = ((bits & 0x8000) << 16) | ((exponent + 112) << 23) | (fraction << 13);
  return float32Scratch[0] as number;
}

/**
 * IEEE binary16 bits of the nearest half, halves of its last place to even.
 *
 * From 65520 on the result is ±∞; values below 2^-24 / 2 become ±0; NaN becomes 0x7e00. A float64 argument is rounded
 * once, not over float32.
 *
 * @example float32ToFloat16(1); // 0x3c00
 */
export function float32ToFloat16(x: number): number {
  if (x !== x) return 0x7e00;
  float64Scratch[0] = x;
  const high = float64Words[highWord] as number;
  const sign = (high >>> 16) & 0x8000;
  const magnitude = Math.abs(x);
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, -14);
  // In units of the last place; a carry out of the fraction moves into the exponent, where it belongs.
  const units = magnitude * (unitsAt[exponent + 14] as number) + 4503599627370496 - 4503599627370496;
  return sign | ((exponent + 14) * 1024 + units);
}

/**
 * The real value of bfloat16 bits (exact): they are the upper half of a float32.
 *
 * @example bfloat16ToFloat32(0x3f80); // 1
 */
export function bfloat16ToFloat32(bits: number): number {
  float32Word[0] = bits << 16;
  return float32Scratch[0] as number;
}

/**
 * Bits of the bfloat16 nearest to float32(x), halves to even; NaN becomes 0x7fc0.
 *
 * @example float32ToBfloat16(1); // 0x3f80
 */
export function float32ToBfloat16(x: number): number {
  if (x !== x) return 0x7fc0;
  float32Scratch[0] = x;
  const word = float32Word[0] as number;
  return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
}
