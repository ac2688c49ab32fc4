/**
 * A function that gives one uniform number in [0, 1) after the other; the same seed gives the same numbers on every
 * machine.
 *
 * For drawing samples and resamples: 32 bits of state, which repeat after 2³² numbers. `seededRandom` is for what needs
 * more, or is saved and restored.
 *
 * Source: "mulberry32" by T. Ettinger, public domain.
 *
 * @param seed an integer, of which the low 32 bits count; a fraction is dropped
 *
 * @example Math.floor(uniformNumbers(1)() * 10) // an integer from 0 to 9
 */
export function uniformNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
