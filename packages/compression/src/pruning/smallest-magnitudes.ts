/** Bits of |x|: as unsigned integers they are ordered as the magnitudes are, NaN after everything. */
const magnitudeMask = 0x7fff_ffff;

const bitsOf = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

/** Where the ranking of magnitudes is cut: all below are in, of those equal to it the first `equal`. */
export interface MagnitudeCut {
  /** Bits of the magnitude at the cut. */
  readonly bits: number;
  readonly equal: number;
}

/**
 * Finds the cut that takes the `count` smallest magnitudes of several arrays together.
 *
 * A radix selection in two passes over the bits: time O(elements), memory constant, so that the whole of a large model
 * can be ranked.
 */
export function cutAt(arrays: () => Iterable<Float32Array>, count: number): MagnitudeCut {
  const high = new Float64Array(2 ** 15);
  for (const values of arrays()) {
    const bits = bitsOf(values);
    for (let i = 0; i < bits.length; i++) {
      const bucket = ((bits[i] as number) & magnitudeMask) >>> 16;
      high[bucket] = (high[bucket] as number) + 1;
    }
  }
  const top = bucketOf(high, count);
  const low = new Float64Array(2 ** 16);
  for (const values of arrays()) {
    const bits = bitsOf(values);
    for (let i = 0; i < bits.length; i++) {
      const magnitude = (bits[i] as number) & magnitudeMask;
      if (magnitude >>> 16 === top.bucket) {
        const bucket = magnitude & 0xffff;
        low[bucket] = (low[bucket] as number) + 1;
      }
    }
  }
  const bottom = bucketOf(low, top.rest);
  return { bits: top.bucket * 65_536 + bottom.bucket, equal: bottom.rest };
}

/** The bucket in which the `count`-th element is, and how many of that bucket are needed. */
function bucketOf(counts: Float64Array, count: number): { bucket: number; rest: number } {
  let rest = count;
  for (const [bucket, size] of counts.entries()) {
    if (rest <= size) {
      return { bucket, rest };
    }
    rest -= size;
  }
  throw new RangeError(`cutAt: expected at most all elements, got ${rest} more`);
}

/** How many elements of one array are below a cut, and how many are at it. */
export function countBelow(values: Float32Array, cut: MagnitudeCut): { below: number; equal: number } {
  let below = 0;
  let equal = 0;
  const bits = bitsOf(values);
  for (let i = 0; i < bits.length; i++) {
    const magnitude = (bits[i] as number) & magnitudeMask;
    if (magnitude < cut.bits) {
      below++;
    } else if (magnitude === cut.bits) {
      equal++;
    }
  }
  return { below, equal };
}

/**
 * Marks the elements that survive when the `zeros` smallest in magnitude go; of equal ones the first go.
 *
 * @returns one byte an element: 1 stays, 0 goes
 */
export function keptAfter(values: Float32Array, zeros: number): Uint8Array {
  const kept = new Uint8Array(values.length).fill(1);
  if (zeros === 0) {
    return kept;
  }
  const cut = cutAt(() => [values], zeros);
  let equal = cut.equal;
  const bits = bitsOf(values);
  for (let index = 0; index < bits.length; index++) {
    const magnitude = (bits[index] as number) & magnitudeMask;
    if (magnitude < cut.bits || (magnitude === cut.bits && equal-- > 0)) {
      kept[index] = 0;
    }
  }
  return kept;
}
