import { CompressionError } from "../compression-error.js";

/** @throws CompressionError `not-finite` for the first NaN or ±∞ */
export function checkFinite(name: string, values: Float32Array): void {
  let index = 0;
  while (index < values.length && Math.abs(values[index] as number) < Number.POSITIVE_INFINITY) index++;
  if (index === values.length) return;
  throw new CompressionError(
    "not-finite",
    `quantize: tensor ${JSON.stringify(name)}: element ${index}: expected a finite number, got ${values[index]}`,
    { tensor: name },
  );
}
