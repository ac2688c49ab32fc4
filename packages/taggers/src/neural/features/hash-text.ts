/**
 * A 32-bit hash of part of a text: FNV-1a over UTF-16 code units, started from a seed and finished by the mixer of
 * MurmurHash3.
 *
 * Model files depend on it: another value is another model.
 *
 * Source: G. Fowler, L. C. Noll, K.-P. Vo, FNV-1a (draft-eastlake-fnv); A. Appleby, MurmurHash3, fmix32 (public
 * domain).
 *
 * @returns an unsigned integer below 2^32.
 *
 * @example
 * ```ts
 * hashText("walking", { seed: 5, start: 4, end: 7 }) % 4096; // row of the suffix "ing"
 * ```
 */
export function hashText(
  text: string,
  { seed, start = 0, end = text.length }: { seed: number; start?: number; end?: number },
): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
