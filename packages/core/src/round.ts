/** 1.5 · 2^52: added to a float64 it leaves no fraction bits, so the addition itself rounds half to even. */
export const roundingMagic = 6755399441055744;

/**
 * The nearest integer, halves to the even one: 0.5 → 0, 1.5 → 2, 2.5 → 2, −1.5 → −2.
 *
 * NaN and ±∞ stay; the result of −0.5 is 0 and not −0.
 *
 * @example roundHalfEven(2.5); // 2
 */
export function roundHalfEven(x: number): number {
  // From 2^51 on the magic sum loses integers; from 2^52 on every float64 is one.
  if (x > -2251799813685248 && x < 2251799813685248) return x + roundingMagic - roundingMagic;
  const floor = Math.floor(x);
  const fraction = x - floor;
  if (fraction < 0.5 || Number.isNaN(fraction)) return floor;
  if (fraction > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The nearest integer, halves away from zero: 0.5 → 1, −0.5 → −1 (the C function `roundf`). */
export function roundHalfAway(x: number): number {
  const whole = Math.trunc(x);
  // x − whole is exact; adding 0.5 first would round the neighbour below 0.5 up.
  if (Math.abs(x - whole) < 0.5 || !Number.isFinite(x)) return whole;
  return whole + Math.sign(x);
}
