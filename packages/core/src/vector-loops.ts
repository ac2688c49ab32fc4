import { vectorModule } from "./vector-module.js";
import { webAssembly, type WebAssemblyApi } from "./wasm/index.js";

type Kernels = Readonly<
  Record<
    "ranges" | "range" | "carries" | "rowsAbove" | "neighboursAbove" | "measureRow" | "measureRun",
    (...values: number[]) => number
  > &
    Record<"pairs" | "magnitudes" | "divide", (...values: number[]) => void>
>;

/** Most float32 that are worked on at once: a row of a weight, or a part of a run. */
const capacity = 1 << 14;
/** Elements from which on a copy pays. */
const least = 1 << 12;

const rowBytes = capacity * 4;
/** Where each array begins. */
const at = {
  x: 0,
  y: rowBytes,
  low: 2 * rowBytes,
  high: 3 * rowBytes,
  reciprocals: 4 * rowBytes,
  scales: 6 * rowBytes,
  sums: 7 * rowBytes,
  out: 7 * rowBytes + 64,
};
const pages = Math.ceil((at.out + capacity) / 65_536);

/** Ranges of the columns of rows of one length, which grow row by row; `end` writes them where they came from. */
export interface ColumnRanges {
  /** Returns whether the row is without NaN. */
  extend(row: Float32Array): boolean;
  /** Extends by the sums, in float32, of two rows. */
  extendByPair(row: Float32Array, next: Float32Array): void;
  end(): void;
}

/** Σx² and Σ(x − x̂)². */
export interface SquareSums {
  signal: number;
  noise: number;
}

/**
 * Loops over float32 weights in WebAssembly, on copies of a row at a time. Ranges and quantized values are those of the
 * loops in TypeScript; sums of squares are added up in another order.
 */
export class VectorLoops {
  readonly #kernels: Kernels;
  readonly #f32: Float32Array;
  readonly #f64: Float64Array;
  readonly #int8: Int8Array;
  readonly #bytes: Uint8Array;

  constructor({ Memory, Module, Instance }: WebAssemblyApi) {
    const memory = new Memory({ initial: pages, maximum: pages });
    this.#kernels = new Instance(new Module(vectorModule()), { nasty: { memory } }).exports as Kernels;
    this.#f32 = new Float32Array(memory.buffer);
    this.#f64 = new Float64Array(memory.buffer);
    this.#int8 = new Int8Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /** Copies values to an address, and zeros behind them up to whole vectors; returns how many that are. */
  #put(values: Float32Array, address: number): number {
    const count = Math.ceil(values.length / 4) * 4;
    this.#f32.set(values, address / 4);
    this.#f32.fill(0, address / 4 + values.length, address / 4 + count);
    return count;
  }

  /** {@link #put} of bytes; how many words of 32 bits that are. */
  #putBytes(bytes: Uint8Array | Int8Array, address: number): number {
    const count = Math.ceil(bytes.length / 16) * 4;
    this.#bytes.set(bytes, address);
    this.#bytes.fill(0, address + bytes.length, address + 4 * count);
    return count;
  }

  /** @param low, high as many columns as a row has, at most `capacity` */
  columnRanges(low: Float32Array, high: Float32Array): ColumnRanges {
    const { ranges, pairs } = this.#kernels;
    const count = this.#put(low, at.low);
    this.#put(high, at.high);
    return {
      extend: (row) => {
        this.#put(row, at.x);
        return ranges(at.x, at.low, at.high, count) === 1;
      },
      extendByPair: (row, next) => {
        this.#put(row, at.x);
        this.#put(next, at.y);
        pairs(at.x, at.y, at.low, at.high, count);
      },
      end: () => {
        low.set(this.#f32.subarray(at.low / 4, at.low / 4 + low.length));
        high.set(this.#f32.subarray(at.high / 4, at.high / 4 + high.length));
      },
    };
  }

  /** Range of values, 0 included; undefined if one is NaN. */
  range(values: Float32Array): { readonly low: number; readonly high: number } | undefined {
    const lows = this.#f32.subarray(at.low / 4, at.low / 4 + 4).fill(0);
    const highs = this.#f32.subarray(at.high / 4, at.high / 4 + 4).fill(0);
    for (let start = 0; start < values.length; start += capacity) {
      const count = this.#put(values.subarray(start, start + capacity), at.x);
      if (this.#kernels.range(at.x, at.low, at.high, count) !== 1) return undefined;
    }
    return { low: Math.min(...lows), high: Math.max(...highs) };
  }

  /** Divides each column of [rows, columns] by its largest magnitude; columns of zeros stay. */
  makeRelative(values: Float32Array, columns: number): void {
    const { magnitudes, divide } = this.#kernels;
    const f32 = this.#f32;
    const largest = f32.subarray(at.high / 4, at.high / 4 + columns + 3).fill(0);
    for (let start = 0; start < values.length; start += columns) {
      const count = this.#put(values.subarray(start, start + columns), at.x);
      magnitudes(at.x, at.high, count);
    }
    for (let column = 0; column < columns; column++) if (largest[column] === 0) largest[column] = 1;
    for (let start = 0; start < values.length; start += columns) {
      const count = this.#put(values.subarray(start, start + columns), at.x);
      divide(at.x, at.high, count);
      values.set(f32.subarray(at.x / 4, at.x / 4 + columns), start);
    }
  }

  /** Whether the sum of two int8, one of each row, is above a limit in magnitude. */
  areRowsAbove(row: Int8Array, next: Int8Array, limit: number): boolean {
    for (let start = 0; start < row.length; start += rowBytes) {
      const count = this.#putBytes(row.subarray(start, start + rowBytes), at.x);
      this.#putBytes(next.subarray(start, start + rowBytes), at.y);
      if (this.#kernels.rowsAbove(at.x, limit, count, at.y) === 1) return true;
    }
    return false;
  }

  /** Whether the sum of two int8 at 2i and 2i + 1 is above a limit in magnitude. */
  areNeighboursAbove(values: Int8Array, limit: number): boolean {
    for (let start = 0; start < values.length; start += rowBytes) {
      const count = this.#putBytes(values.subarray(start, start + rowBytes), at.x);
      if (this.#kernels.neighboursAbove(at.x, limit, count) === 1) return true;
    }
    return false;
  }

  /** The bits of all (word & mask) + addend in one; the last word is filled up with zeros. */
  carries(bytes: Uint8Array, mask: number, addend: number): number {
    let bits = 0;
    for (let start = 0; start < bytes.length; start += rowBytes) {
      const count = this.#putBytes(bytes.subarray(start, start + rowBytes), at.x);
      bits |= this.#kernels.carries(at.x, mask, addend, count);
    }
    return bits;
  }

  /**
   * Quantization of values to signed 8 bits, with what is lost added to `sums`.
   *
   * @returns the function that quantizes values from `start` on, and says whether none saturates or is NaN: with a
   *   scale of their own for rows that are as long as `scale`, with one for any
   */
  quantizer(scale: Float32Array, out: Int8Array, sums: SquareSums): Quantizer {
    const { measureRow, measureRun } = this.#kernels;
    const f64 = this.#f64;
    const put = (values: Float32Array): number => {
      f64.fill(0, at.sums / 8, at.out / 8);
      return this.#put(values, at.x);
    };
    const take = (start: number, length: number): void => {
      out.set(this.#int8.subarray(at.out, at.out + length), start);
      for (let i = 0; i < 4; i++) {
        sums.signal += f64[at.sums / 8 + i] as number;
        sums.noise += f64[at.sums / 8 + 4 + i] as number;
      }
    };
    let areScalesPut = false;
    const putScales = (): void => {
      if (areScalesPut) return;
      areScalesPut = true;
      this.#put(scale, at.scales);
      f64.set(
        Float64Array.from(scale, (one) => 1 / one),
        at.reciprocals / 8,
      );
    };
    return {
      row: (values, start) => {
        putScales();
        const count = put(values);
        if (measureRow(at.x, at.out, at.sums, at.reciprocals, at.scales, count) !== 1) return false;
        take(start, values.length);
        return true;
      },
      run: (values, start, group) => {
        const one = scale[group] as number;
        for (let done = 0; done < values.length; done += capacity) {
          const part = values.subarray(done, done + capacity);
          const count = put(part);
          if (measureRun(at.x, at.out, at.sums, 1 / one, one, count) !== 1) return false;
          take(start + done, part.length);
        }
        return true;
      },
    };
  }
}

/** Values, where they begin in the whole, and for a run the scale's group. */
export interface Quantizer {
  row(values: Float32Array, start: number): boolean;
  run(values: Float32Array, start: number, group: number): boolean;
}

let loops: VectorLoops | false | undefined;

/**
 * The loops, where the engine has WebAssembly and a copy to its memory pays.
 *
 * @param elements of the tensor
 * @param columns of its rows, where rows are worked on
 */
export const vectorLoops = (elements: number, columns = 0): VectorLoops | undefined => {
  if (elements < least || columns > capacity) return undefined;
  if (loops === undefined) {
    const api = webAssembly();
    try {
      loops = api === undefined ? false : new VectorLoops(api);
    } catch {
      // An engine without vectors, or a host that forbids to compile.
      loops = false;
    }
  }
  return loops === false ? undefined : loops;
};
