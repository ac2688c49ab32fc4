import { vectorLoops } from "./vector-loops.js";

/** Words that are looked at between two branches: few enough to stay in the processor's first caches. */
const stride = 4096;
const scratch = new Int32Array(stride);
const scratchBytes = new Uint8Array(scratch.buffer);

/**
 * Whether an exponent may have all bits set, as those of NaN and ±∞ have, without a branch for each number: the lowest
 * bit of an exponent, added to it, is carried into the bit of the sign if and only if all bits are set.
 *
 * @param bytes little-endian numbers of 16 or 32 bits, at any address: weights of a file lie where they come to lie
 * @param exponents the bits of the exponent in a word of 32 bits, of both halves where it is two numbers
 * @example mayHaveFullExponent(new Uint8Array(Float32Array.of(1, Number.NaN).buffer), 0x7f800000) // true
 */
export function mayHaveFullExponent(bytes: Uint8Array, exponents: number): boolean {
  const isHalves = (exponents & 0xffff) !== 0;
  const lowest = (exponents & ~(exponents << 1)) | 0;
  const signs = (isHalves ? 0x80008000 : 0x80000000) | 0;
  const loops = vectorLoops(bytes.length >> 2);
  if (loops !== undefined) return (loops.carries(bytes, exponents, lowest) & signs) !== 0;
  for (let start = 0; start < bytes.length; start += scratchBytes.length) {
    const chunk = bytes.subarray(start, start + scratchBytes.length);
    if (chunk.length < scratchBytes.length) scratch.fill(0);
    scratchBytes.set(chunk);
    let carried = 0;
    for (let i = 0; i < stride; i++) carried |= (((scratch[i] as number) & exponents) + lowest) | 0;
    if ((carried & signs) !== 0) return true;
  }
  return false;
}
