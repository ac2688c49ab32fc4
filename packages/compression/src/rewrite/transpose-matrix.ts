type Bytes = Int8Array | Uint8Array;

// A tile's rows and columns stay in the first-level cache together.
const tile = 32;

/**
 * Transposes a stack of byte matrices: [count, rows, columns] → [count, columns, rows].
 *
 * @example transposeBytes(new Int8Array([1, 2, 3, 4, 5, 6]), 1, 2, 3) // 1 4 2 5 3 6
 */
export function transposeBytes<T extends Bytes>(data: T, count: number, rows: number, columns: number): T {
  const out = new (data.constructor as new (length: number) => T)(data.length);
  const size = rows * columns;
  for (let base = 0; base < count * size; base += size) {
    for (let row0 = 0; row0 < rows; row0 += tile) {
      const rowEnd = Math.min(rows, row0 + tile);
      for (let column0 = 0; column0 < columns; column0 += tile) {
        const columnEnd = Math.min(columns, column0 + tile);
        for (let row = row0; row < rowEnd; row++) {
          for (let column = column0; column < columnEnd; column++) {
            out[base + column * rows + row] = data[base + row * columns + column] as number;
          }
        }
      }
    }
  }
  return out;
}
