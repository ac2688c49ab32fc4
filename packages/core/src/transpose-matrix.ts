// A tile's rows and columns stay in the first-level cache together.
const tile = 32;

/**
 * Transposes a float32 matrix: [rows, columns] → [columns, rows].
 *
 * @param out where the result goes, as long as `data` and not the same; new unless given
 * @example transposeMatrix(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3) // 1 4 2 5 3 6
 */
export function transposeMatrix(
  data: Float32Array,
  rows: number,
  columns: number,
  out: Float32Array = new Float32Array(data.length),
): Float32Array {
  for (let row0 = 0; row0 < rows; row0 += tile) {
    const rowEnd = Math.min(rows, row0 + tile);
    for (let column0 = 0; column0 < columns; column0 += tile) {
      const columnEnd = Math.min(columns, column0 + tile);
      for (let row = row0; row < rowEnd; row++) {
        for (let column = column0; column < columnEnd; column++) {
          out[column * rows + row] = data[row * columns + column] as number;
        }
      }
    }
  }
  return out;
}
