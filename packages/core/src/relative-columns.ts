import { vectorLoops } from "./vector-loops.js";

/**
 * Divides each column of a matrix by its largest magnitude, in place; columns of zeros stay as they are.
 *
 * @param values float32 [rows, columns], finite
 * @example
 * const values = Float32Array.of(1, -4, 2, 2);
 * makeColumnsRelative(values, 2); // 0.5 -1 1 0.5
 */
export function makeColumnsRelative(values: Float32Array, columns: number): void {
  const loops = vectorLoops(values.length, columns);
  if (loops !== undefined) {
    loops.makeRelative(values, columns);
    return;
  }
  const largest = new Float32Array(columns);
  for (let i = 0; i < values.length; ) {
    for (let column = 0; column < columns; column++, i++) {
      const magnitude = Math.abs(values[i] as number);
      if (magnitude > (largest[column] as number)) largest[column] = magnitude;
    }
  }
  for (let i = 0; i < values.length; ) {
    for (let column = 0; column < columns; column++, i++) {
      const scale = largest[column] as number;
      if (scale > 0) values[i] = (values[i] as number) / scale;
    }
  }
}
