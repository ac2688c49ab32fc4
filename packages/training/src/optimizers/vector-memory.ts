import { webAssembly } from "@nasty/core/wasm";
import { vectorModule } from "./vector-module.js";

/** Memory whose arrays WebAssembly can work on. */
export interface VectorMemory {
  /** Zeros; undefined if the memory is used up. */
  allocate(length: number): Float32Array | undefined;
  /** True for an array of this memory. */
  owns(array: Float32Array): boolean;
  /** Adam over the first `end − start` elements from `start` on, a multiple of 4; only g may lie outside the memory. */
  adam(
    arrays: AdamArrays,
    scalars: AdamScalars,
    span: { readonly start: number; readonly end: number },
  ): void;
  /** a += gain·(w − a) over a multiple of 4 elements. */
  average(
    a: Float32Array,
    w: Float32Array,
    options: { readonly gain: number; readonly length: number },
  ): void;
  /** Σ x² over the first elements of an array of the memory, a multiple of 8. */
  squares(x: Float32Array, length: number): number;
}

export interface AdamArrays {
  readonly w: Float32Array;
  readonly g: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** β₁, gain₁, β₂, gain₂, size, ε, shrink, tiny. */
export type AdamScalars = readonly [number, number, number, number, number, number, number, number];

interface Exports {
  readonly adam: (w: number, g: number, m: number, v: number, bytes: number, ...scalars: number[]) => void;
  readonly average: (a: number, w: number, bytes: number, gain: number) => void;
  readonly squares: (x: number, bytes: number) => number;
}

/** Elements of the gradient that are copied in at a time: they stay in the nearest cache but one. */
const chunk = 16_384;
const pageBytes = 65_536;
const maximumBytes = 2 ** 31;

/**
 * Memory for so many arrays of float32, or undefined where WebAssembly with vectors (or so much memory) is not to be
 * had.
 */
export function vectorMemory(lengths: readonly number[]): VectorMemory | undefined {
  const bytes = [chunk, ...lengths].reduce((sum, length) => sum + padded(length), 0);
  if (bytes > maximumBytes) return undefined;
  const api = webAssembly();
  if (api === undefined) return undefined;
  let buffer: ArrayBuffer;
  let exported: Exports;
  try {
    const pages = Math.ceil(bytes / pageBytes);
    const memory = new api.Memory({ initial: pages, maximum: pages });
    buffer = memory.buffer;
    const module = new api.Module(vectorModule());
    exported = new api.Instance(module, { nasty: { memory } }).exports as Exports;
  } catch {
    return undefined; // no vectors, or no memory: the loops in JavaScript do the same
  }
  let used = 0;
  const allocate = (length: number): Float32Array | undefined => {
    if (used + padded(length) > buffer.byteLength) return undefined;
    const array = new Float32Array(buffer, used, length);
    used += padded(length);
    return array;
  };
  const scratch = allocate(chunk) as Float32Array;
  return {
    allocate,
    owns: (array) => array.buffer === buffer,
    adam({ w, g, m, v }, scalars, { start, end }) {
      const inside = g.buffer === buffer;
      const most = inside ? end - start : chunk;
      for (let from = start; from < end; from += most) {
        const count = Math.min(most, end - from);
        if (!inside) scratch.set(g.subarray(from, from + count));
        const at = from * 4;
        const gradient = inside ? g.byteOffset + at : scratch.byteOffset;
        exported.adam(
          w.byteOffset + at,
          gradient,
          m.byteOffset + at,
          v.byteOffset + at,
          count * 4,
          ...scalars,
        );
      }
    },
    average(a, w, { gain, length }) {
      if (length > 0) exported.average(a.byteOffset, w.byteOffset, length * 4, gain);
    },
    squares: (x, length) => (length > 0 ? exported.squares(x.byteOffset, length * 4) : 0),
  };
}

/** Bytes of an array, up to the next multiple of a cache line. */
const padded = (length: number): number => Math.ceil((length * 4) / 64) * 64;
