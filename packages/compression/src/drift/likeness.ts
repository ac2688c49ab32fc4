/** How alike two models' values are. */
export interface Likeness {
  /** Σab / √(Σa²·Σb²); 1 if both are zero, 0 if one is. */
  readonly cosine: number;
  /** Σab / Σa²; 1 if the first are zero. */
  readonly gain: number;
}

/** What both have infinite (a masked score) is left out; what only one has makes the cosine 0. */
export function likeness(before: readonly Float32Array[], after: readonly Float32Array[]): Likeness {
  let [dot, a2, b2] = [0, 0, 0];
  for (const [i, values] of before.entries()) {
    const others = after[i] ?? new Float32Array();
    for (let j = 0; j < values.length; j++) {
      const [a, b] = [values[j] as number, others[j] ?? 0];
      if (!Number.isFinite(a) || !Number.isFinite(b)) {
        // What both have infinite (a masked score), or both have not, says nothing.
        if (Object.is(a, b)) continue;
        return { cosine: 0, gain: 0 };
      }
      dot += a * b;
      a2 += a * a;
      b2 += b * b;
    }
  }
  const gain = a2 === 0 ? 1 : dot / a2;
  if (a2 === 0 && b2 === 0) return { cosine: 1, gain };
  return { cosine: a2 === 0 || b2 === 0 ? 0 : dot / Math.sqrt(a2 * b2), gain };
}

/**
 * Whether values have the direction that they should have, and are larger than they should be: rounding does not do
 * that, and ranges that clip make values smaller.
 */
export const isMisscaled = ({ cosine, gain }: Likeness): boolean => cosine >= 0.9 && gain > 4 / 3;
