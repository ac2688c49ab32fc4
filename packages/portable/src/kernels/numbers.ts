/*
 * Functions of four float32 at a time, as code to put into a loop. Each is a fixed sequence of additions,
 * multiplications and divisions that IEEE 754 rounds in one way only, so every machine computes the same bits.
 *
 * The coefficients were fitted here by weighted least squares until the largest relative error was least; the errors
 * that remain are those of float32 arithmetic, 4·10⁻⁷ of the value.
 */
import { type Code, f32x4, i32, i32x4, type Scope, v128 } from "@nasty/core/wasm";

const { add, sub, mul, div } = f32x4;
const number = f32x4.const;

/** x, but no less than `least` and no more than `most`; NaN stays. */
const within = (x: Code, least: number, most: number): Code =>
  f32x4.chooseMin(f32x4.chooseMax(x, number(least)), number(most));

/** c₀ + z·(c₁ + z·(c₂ + …)). */
const polynomial = (z: Code, coefficients: readonly number[]): Code => {
  const [last = 0, ...before] = [...coefficients].reverse();
  return before.reduce<Code>((sum, c) => add(mul(sum, z), number(c)), number(last));
};

/** Of (eˣ − 1 − x) / x² for |x| ≤ ln 2 / 2. */
const expTail = [
  0.4999999403953552, 0.1666651964187622, 0.04166839271783829, 0.008368780836462975, 0.0013814466074109077,
];
const ln2High = 0.693359375;
const ln2Low = -2.1219444e-4;
/** Added to a number of less than 2²² and taken off again, it rounds to the nearest whole one, halves to even. */
const rounding = 12_582_912;
/** Where half of 2ⁿ leaves the normal numbers of float32 below, and eˣ the numbers above. */
const expRange = [-86.9, 88.8] as const;
/** Where 2ⁿ itself is a normal number. */
const plainRange = [-87, 87] as const;

/** e^r for what is left of x = n·ln 2 + r, and 2ⁿ·2^`shift`. */
const expParts = (
  scope: Scope,
  x: Code,
  [least, most]: readonly [number, number],
  shift: number,
): { readonly before: Code; readonly rest: Code; readonly power: Code } => {
  const [sum, n, r] = [scope.local("v128"), scope.local("v128"), scope.local("v128")];
  // The last bits of the sum are those of n; shifted, they are the exponent of 2ⁿ.
  const power = i32x4.add(
    i32x4.shiftLeft(sum.get, i32.const(23)),
    i32x4.splat(i32.const((127 + shift) << 23)),
  );
  return {
    before: [
      r.set(within(x, least, most)),
      sum.set(add(mul(r.get, number(Math.LOG2E)), number(rounding))),
      n.set(sub(sum.get, number(rounding))),
      r.set(sub(sub(r.get, mul(n.get, number(ln2High))), mul(n.get, number(ln2Low)))),
    ],
    rest: add(add(mul(mul(r.get, r.get), polynomial(r.get, expTail)), r.get), number(1)),
    power,
  };
};

/** eˣ; 0 below −86.9, ∞ above 88.7, NaN for NaN. */
export const exp = (scope: Scope, x: Code): Code => {
  const given = scope.local("v128");
  // Half of 2ⁿ, for the largest is no float itself.
  const { before, rest, power } = expParts(scope, given.get, expRange, -1);
  return [
    given.set(x),
    before,
    // All ones where x is not below the range: also for NaN.
    v128.and(mul(mul(rest, power), number(2)), v128.not(f32x4.less(given.get, number(expRange[0])))),
  ];
};

/** 1 / (1 + e⁻ˣ), at least e⁻⁸⁷. */
export const sigmoid = (scope: Scope, x: Code): Code => {
  const { before, rest, power } = expParts(scope, f32x4.neg(x), plainRange, 0);
  return [before, div(number(1), add(number(1), mul(rest, power)))];
};

interface OddRational {
  /** Beyond it the function is ±1. */
  readonly limit: number;
  readonly numerator: readonly number[];
  readonly denominator: readonly number[];
}

/** x·P(x²) / Q(x²), held within ±1. */
const oddRational = (scope: Scope, x: Code, { limit, numerator, denominator }: OddRational): Code => {
  const [inside, z] = [scope.local("v128"), scope.local("v128")];
  const ratio = div(mul(inside.get, polynomial(z.get, numerator)), polynomial(z.get, denominator));
  return [inside.set(within(x, -limit, limit)), z.set(mul(inside.get, inside.get)), within(ratio, -1, 1)];
};

const tanhRational: OddRational = {
  limit: 9.02,
  numerator: [
    1, 0.1367991715669632, 0.0038683307357132435, 2.8007516448269598e-5, 3.0585159294105324e-8,
    -1.2203561945700603e-11,
  ],
  denominator: [1, 0.4701324999332428, 0.02724584937095642, 0.0003938636218663305, 1.287370537284005e-6],
};

export const tanh = (scope: Scope, x: Code): Code => oddRational(scope, x, tanhRational);

const erfRational: OddRational = {
  limit: 3.95,
  numerator: [
    1.1283791065216064, 0.1915469616651535, 0.05287501588463783, 0.0038080234080553055,
    0.00028468554955907166, 2.02594424081326e-6,
  ],
  denominator: [
    1, 0.5030867457389832, 0.11455824971199036, 0.015054809860885143, 0.0011706941295415163,
    3.783206921070814e-5,
  ],
};

export const erf = (scope: Scope, x: Code): Code => oddRational(scope, x, erfRational);

/** x/2 · (1 + erf(x/√2)). */
export const gelu = (scope: Scope, x: Code): Code => {
  const given = scope.local("v128");
  return [
    given.set(x),
    mul(mul(given.get, number(0.5)), add(erf(scope, mul(given.get, number(Math.SQRT1_2))), number(1))),
  ];
};

/** x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export const geluByTanh = (scope: Scope, x: Code): Code => {
  const given = scope.local("v128");
  const cube = mul(mul(given.get, given.get), given.get);
  const inner = mul(number(Math.sqrt(2 / Math.PI)), add(given.get, mul(number(0.044715), cube)));
  return [given.set(x), mul(mul(given.get, number(0.5)), add(tanh(scope, inner), number(1)))];
};

export const relu = (_: Scope, x: Code): Code => f32x4.max(x, number(0));

/** NaN with one bit pattern whatever the pattern was: engines may choose others for the results of arithmetic. */
export const canonical = (scope: Scope, x: Code): Code => {
  const given = scope.local("v128");
  const nan = i32x4.splat(i32.const(0x7fc00000));
  return [given.set(x), v128.select(given.get, nan, f32x4.equal(given.get, given.get))];
};
