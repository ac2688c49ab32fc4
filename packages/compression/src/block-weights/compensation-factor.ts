import { CompressionError } from "../compression-error.js";

/**
 * How much the rounding error of earlier inputs of a product moves the best value of a later one.
 *
 * With H = Σ x xᵀ + λI = R Rᵀ, R upper triangular, the product's squared error is ‖(w − q)ᵀR‖²; its component m depends
 * on w₀..w_m only and vanishes for `q_m = w_m + Σ_{j<m} (w_j − q_j)·R[j,m] / R[m,m]`. λ = damping · mean(diag H).
 *
 * Source: Frantar et al. 2023 (GPTQ), eq. 2 and §3.3 (Cholesky form), written with the factor of H, not of its inverse.
 *
 * @param gram float64 [width, width], symmetric; overwritten
 * @returns the same array: below the diagonal, at [m, j], R[j,m] / R[m,m]
 */
export function compensationFactor(gram: Float64Array, width: number, damping: number): Float64Array {
  let trace = 0;
  for (let i = 0; i < width; i++) trace += gram[i * width + i] as number;
  // An input that is always 0 has an empty row: any positive value keeps it apart from the rest.
  const added = trace === 0 ? 1 : (damping * trace) / width;
  for (let i = 0; i < width; i++) gram[i * width + i] = (gram[i * width + i] as number) + added;
  for (let j = width - 1; j >= 0; j--) {
    const rowJ = j * width;
    for (let i = j; i >= 0; i--) {
      const rowI = i * width;
      let sum = gram[rowI + j] as number;
      for (let m = j + 1; m < width; m++) sum -= (gram[rowI + m] as number) * (gram[rowJ + m] as number);
      if (i === j) {
        if (!(sum > 0)) {
          throw new CompressionError(
            "unsupported",
            `gptq: second moments: pivot ${j}: expected a positive number, got ${sum}; use more damping`,
          );
        }
        gram[rowJ + j] = Math.sqrt(sum);
      } else {
        gram[rowI + j] = sum / (gram[rowJ + j] as number);
      }
    }
  }
  for (let m = 0; m < width; m++) {
    const pivot = gram[m * width + m] as number;
    for (let j = 0; j < m; j++) gram[m * width + j] = (gram[j * width + m] as number) / pivot;
  }
  return gram;
}
