/** A seeded source of random numbers whose state can be saved and restored. */
export interface Random {
  /** A uniform integer in [0, 2^32). */
  uint32(): number;
  /** A uniform number in [0, 1) with 32 bits of precision. */
  uniform(): number;
  /** A uniform integer in [0, bound). */
  below(bound: number): number;
  /** A sample of the standard normal distribution. */
  normal(): number;
  /** The four words of state. */
  state(): RandomState;
}

export type RandomState = readonly [number, number, number, number];

/**
 * Mixes a 32-bit word so that every input bit affects every output bit.
 *
 * Source: the finaliser "lowbias32" of C. Wellons, "Prospecting for Hash Functions" (2018), public domain.
 */
export function mix32(word: number): number {
  let x = word >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Combines words (a seed, a step, a site…) to one well-mixed 32-bit word; the order matters. */
export function mixWords(...words: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const word of words) {
    h = mix32(h ^ (word >>> 0));
    h = mix32((h + Math.floor(word / 4294967296)) >>> 0);
  }
  return h;
}

/**
 * A generator xoshiro128** with the given seed or saved state; the same seed gives the same numbers on every machine.
 *
 * Source: D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators" (2021), public-domain reference
 * code.
 *
 * @example seededRandom(1).below(10) // an integer from 0 to 9
 */
export function seededRandom(seed: number | RandomState): Random {
  let a: number;
  let b: number;
  let c: number;
  let d: number;
  if (typeof seed === "number") {
    a = mixWords(seed, 1);
    b = mixWords(seed, 2);
    c = mixWords(seed, 3);
    d = mixWords(seed, 4) || 1; // the all-zero state is the one that the generator never leaves
  } else {
    [a, b, c, d] = seed;
  }
  const uint32 = (): number => {
    const r = Math.imul(b, 5);
    const result = Math.imul((r << 7) | (r >>> 25), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  const uniform = (): number => uint32() / 4294967296;
  return {
    uint32,
    uniform,
    below: (bound) => Math.floor(uniform() * bound),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    state: () => [a >>> 0, b >>> 0, c >>> 0, d >>> 0],
  };
}

/** A shuffled copy (Fisher–Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const x = out[i] as T;
    out[i] = out[j] as T;
    out[j] = x;
  }
  return out;
}
