import { squaresKernel } from "./kernels.js";

/** Rows that add to the gradient of a table: index of each row, and the rows one after another. */
export interface RowsOfGradient {
  readonly indices: BigInt64Array;
  readonly values: Float32Array;
}

/** The gradient of one weight, as a step of the training graph gave it. */
export interface GradientOfWeight {
  readonly dense: Float32Array | undefined;
  readonly rows: readonly RowsOfGradient[];
}

/** Collects the gradient of a table that is looked up: a full array, kept zero outside the rows touched. */
export interface GradientBuffer {
  readonly data: Float32Array;
  /** Rows touched since the last `clear`, in the order of their first use. */
  readonly touched: Int32Array;
  readonly touchedCount: () => number;
  add(rows: RowsOfGradient): void;
  clear(): void;
  /** Σ x² over the rows touched. */
  squares(): number;
}

/** @param data zeros, one for each element of the table */
export function gradientBuffer(
  height: number,
  width: number,
  data: Float32Array = new Float32Array(height * width),
): GradientBuffer {
  const touched = new Int32Array(height);
  const isTouched = new Uint8Array(height);
  let count = 0;
  return {
    data,
    touched,
    touchedCount: () => count,
    add({ indices, values }) {
      for (let k = 0; k < indices.length; k++) {
        const raw = Number(indices[k] as bigint);
        const row = raw < 0 ? raw + height : raw;
        if (isTouched[row] === 0) {
          isTouched[row] = 1;
          touched[count++] = row;
        }
        const [to, from] = [row * width, k * width];
        for (let j = 0; j < width; j++)
          data[to + j] = (data[to + j] as number) + (values[from + j] as number);
      }
    },
    clear() {
      for (let k = 0; k < count; k++) {
        const row = touched[k] as number;
        isTouched[row] = 0;
        data.fill(0, row * width, (row + 1) * width);
      }
      count = 0;
    },
    squares() {
      let sum = 0;
      for (let k = 0; k < count; k++) {
        const start = (touched[k] as number) * width;
        sum += squaresKernel(data, { start, end: start + width });
      }
      return sum;
    },
  };
}
