/** Ratio of two powers in decibels; Infinity without noise. */
export function decibels(signal: number, noise: number): number {
  if (noise === 0) return Infinity;
  return 10 * Math.log10(signal / noise);
}
