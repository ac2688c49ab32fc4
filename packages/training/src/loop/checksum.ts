import type { Tensor } from "@nasty/core";

/**
 * An odd multiplier with well-spread bits: a step with it is a bijection, so that no single changed word goes unseen.
 */
const MULTIPLIER = 0x9e3779b1;
const OTHER_MULTIPLIER = 0x85ebca6b;

/**
 * A checksum of a header and tensors: 64 bits, hexadecimal. It finds every change within one 32-bit word and all but
 * one in 2^64 of others; it is no defence against someone who makes them on purpose.
 *
 * h ← (h ⊕ w)·p mod 2^32 over the words w, for two p, in two lanes of which the second is also turned by 15 bits.
 *
 * @param header what `JSON.stringify` writes of it counts, order of keys included
 * @param tensors names, types, shapes and values count, in their order
 */
export function checksumOf(header: object, tensors: ReadonlyMap<string, Tensor>): string {
  const lanes: [number, number] = [1, 2];
  const sorted = [...tensors].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const table = sorted.map(([name, { dtype, shape }]) => [name, dtype, shape]);
  addBytes(lanes, new TextEncoder().encode(JSON.stringify([header, table])));
  for (const [, { data }] of sorted) {
    addBytes(lanes, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return lanes.map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
}

function addBytes(lanes: [number, number], bytes: Uint8Array): void {
  // Words need an aligned start; what was read from a file may lie anywhere.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const count = Math.floor(aligned.length / 4);
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, count);
  let [a, b] = lanes;
  for (let i = 0; i < count; i++) {
    const word = words[i] as number;
    a = Math.imul(a ^ word, MULTIPLIER);
    b = Math.imul(((b << 15) | (b >>> 17)) ^ word, OTHER_MULTIPLIER);
  }
  for (let i = count * 4; i < aligned.length; i++) {
    const byte = aligned[i] as number;
    a = Math.imul(a ^ byte, MULTIPLIER);
    b = Math.imul(((b << 15) | (b >>> 17)) ^ byte, OTHER_MULTIPLIER);
  }
  lanes[0] = Math.imul(a ^ aligned.length, MULTIPLIER);
  lanes[1] = Math.imul(b ^ aligned.length, OTHER_MULTIPLIER);
}
