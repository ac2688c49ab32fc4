/** Sweeps of rotations; a matrix of a few hundred rows is diagonal to float precision after ten. */
const MOST_SWEEPS = 20;
const SMALL = 1e-12;

/**
 * The values turned onto the axes along which they vary most.
 *
 * @param values float32 [count, width]
 * @param kept how many axes; those beyond `width` are zeros
 * @returns float32 [count, kept], the mean of each column 0
 * @see I. T. Jolliffe, "Principal Component Analysis" (2002)
 */
export function onPrincipalAxes(
  values: Float32Array,
  { width, kept }: { readonly width: number; readonly kept: number },
): Float32Array {
  const count = values.length / width;
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++)
    mean[i % width] = (mean[i % width] as number) + (values[i] as number);
  for (let j = 0; j < width; j++) mean[j] = (mean[j] as number) / count;
  const centred = Float32Array.from(values, (value, i) => value - (mean[i % width] as number));
  const axes = principalAxes(covariance(centred, width), width);
  const out = new Float32Array(count * kept);
  for (let row = 0; row < count; row++) {
    for (let k = 0; k < Math.min(kept, width); k++) {
      const axis = axes[k] as Float64Array;
      let sum = 0;
      for (let j = 0; j < width; j++) sum += (centred[row * width + j] as number) * (axis[j] as number);
      out[row * kept + k] = sum;
    }
  }
  return out;
}

function covariance(centred: Float32Array, width: number): Float64Array {
  const out = new Float64Array(width * width);
  for (let start = 0; start < centred.length; start += width) {
    for (let i = 0; i < width; i++) {
      const value = centred[start + i] as number;
      for (let j = i; j < width; j++)
        out[i * width + j] = (out[i * width + j] as number) + value * (centred[start + j] as number);
    }
  }
  for (let i = 0; i < width; i++)
    for (let j = 0; j < i; j++) out[i * width + j] = out[j * width + i] as number;
  return out;
}

/**
 * Eigenvectors of a symmetric matrix, that of the largest eigenvalue first.
 *
 * @see G. H. Golub and C. F. Van Loan, "Matrix Computations" (2013), section 8.5: the cyclic Jacobi method
 */
function principalAxes(matrix: Float64Array, width: number): Float64Array[] {
  const at = (i: number, j: number): number => matrix[i * width + j] as number;
  const axes = Array.from({ length: width }, (_, i) => {
    const axis = new Float64Array(width);
    axis[i] = 1;
    return axis;
  });
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let beside = 0;
    let along = 0;
    for (let i = 0; i < width; i++) {
      along += at(i, i) ** 2;
      for (let j = i + 1; j < width; j++) beside += at(i, j) ** 2;
    }
    if (beside <= SMALL * along) break;
    for (let i = 0; i < width; i++) for (let j = i + 1; j < width; j++) rotate(matrix, axes, i, j);
  }
  return axes
    .map((axis, i) => ({ axis, value: at(i, i) }))
    .sort((a, b) => b.value - a.value)
    .map(({ axis }) => axis);
}

/** Turns the plane of two axes so that their covariance is 0. */
function rotate(matrix: Float64Array, axes: readonly Float64Array[], i: number, j: number): void {
  const width = axes.length;
  const at = (row: number, column: number): number => matrix[row * width + column] as number;
  const beside = at(i, j);
  if (beside === 0) return;
  const theta = (at(j, j) - at(i, i)) / (2 * beside);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  for (let k = 0; k < width; k++) {
    const [a, b] = [at(k, i), at(k, j)];
    matrix[k * width + i] = cosine * a - sine * b;
    matrix[k * width + j] = sine * a + cosine * b;
  }
  for (let k = 0; k < width; k++) {
    const [a, b] = [at(i, k), at(j, k)];
    matrix[i * width + k] = cosine * a - sine * b;
    matrix[j * width + k] = sine * a + cosine * b;
  }
  const [first, second] = [axes[i] as Float64Array, axes[j] as Float64Array];
  for (let k = 0; k < width; k++) {
    const [a, b] = [first[k] as number, second[k] as number];
    first[k] = cosine * a - sine * b;
    second[k] = sine * a + cosine * b;
  }
}
