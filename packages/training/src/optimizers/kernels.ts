/*
 * The loops in JavaScript; `vector-module.ts` has those of AdamW and the averages in WebAssembly. Arithmetic is in
 * float64 between float32 loads and stores: V8 runs that faster than rounding every step to float32, and it is the more
 * exact of the two. Bias corrections are folded into the step size and epsilon by the callers.
 */

/** A part of several arrays: elements from `start` to before `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Moments below this become 0: next to ε and to any weight they change nothing. Left to decay they would stay at the
 * smallest numbers below 2^−126 for good, since 0.9 of those rounds to themselves, and processors take a hundred times
 * as long for every one of them: rows of a table that no batch looks up are there after 700 steps.
 */
export const tinyMoment = 2 ** -100;

export interface AdamStep {
  readonly beta1: number;
  readonly beta2: number;
  /** lr·√(1 − β₂ᵗ) / (1 − β₁ᵗ). */
  readonly size: number;
  /** ε·√(1 − β₂ᵗ). */
  readonly epsilon: number;
  /** Factor of the weight before the step: 1 − lr·decay, or 1. */
  readonly shrink: number;
  /** Factor of the gradient: what clipping leaves. */
  readonly scale: number;
  /** Weight decay that is added to the gradient (Adam, not AdamW). */
  readonly coupled: number;
  /** Moments below it become 0. */
  readonly tiny: number;
}

const cleared = (moment: number, tiny: number): number => (Math.abs(moment) < tiny ? 0 : moment);

/** One step of Adam or AdamW; changes w, m and v. */
export function adamKernel(
  w: Float32Array,
  g: Float32Array,
  { m, v }: { readonly m: Float32Array; readonly v: Float32Array },
  { beta1, beta2, size, epsilon, shrink, scale, coupled, tiny, start, end }: AdamStep & Span,
): void {
  const gain1 = (1 - beta1) * scale;
  const gain2 = (1 - beta2) * scale * scale;
  if (coupled === 0) {
    for (let i = start; i < end; i++) {
      const x = g[i] as number;
      const first = cleared(beta1 * (m[i] as number) + gain1 * x, tiny);
      const second = cleared(beta2 * (v[i] as number) + gain2 * x * x, tiny);
      m[i] = first;
      v[i] = second;
      w[i] = shrink * (w[i] as number) - (size * first) / (Math.sqrt(second) + epsilon);
    }
    return;
  }
  for (let i = start; i < end; i++) {
    const x = scale * (g[i] as number) + coupled * (w[i] as number);
    const first = cleared(beta1 * (m[i] as number) + (1 - beta1) * x, tiny);
    const second = cleared(beta2 * (v[i] as number) + (1 - beta2) * x * x, tiny);
    m[i] = first;
    v[i] = second;
    w[i] = (w[i] as number) - (size * first) / (Math.sqrt(second) + epsilon);
  }
}

export interface SgdStep {
  readonly rate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly decay: number;
  readonly scale: number;
}

/** One step of stochastic gradient descent; changes w and the velocity. */
export function sgdKernel(
  w: Float32Array,
  g: Float32Array,
  velocity: Float32Array,
  { rate, momentum, nesterov, decay, scale, start, end }: SgdStep & Span,
): void {
  for (let i = start; i < end; i++) {
    const x = scale * (g[i] as number) + decay * (w[i] as number);
    const next = cleared(momentum * (velocity[i] as number) + x, tinyMoment);
    velocity[i] = next;
    w[i] = (w[i] as number) - rate * (nesterov ? x + momentum * next : next);
  }
}

/** Multiplies elements by a factor. */
export function scaleKernel(x: Float32Array, factor: number, { start, end }: Span): void {
  for (let i = start; i < end; i++) x[i] = (x[i] as number) * factor;
}

/** average += (1 − decay)·(w − average). */
export function averageKernel(
  average: Float32Array,
  w: Float32Array,
  { decay, start, end }: { readonly decay: number } & Span,
): void {
  const gain = 1 - decay;
  for (let i = start; i < end; i++) {
    average[i] = (average[i] as number) + gain * ((w[i] as number) - (average[i] as number));
  }
}

/** Σ x² of a part; four sums at once keep the additions independent. */
export function squaresKernel(x: Float32Array, { start, end }: Span): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const even = start + ((end - start) & ~3);
  for (let i = start; i < even; i += 4) {
    const [p, q, r, s] = [x[i] as number, x[i + 1] as number, x[i + 2] as number, x[i + 3] as number];
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (let i = even; i < end; i++) a += (x[i] as number) * (x[i] as number);
  return a + b + (c + d);
}
