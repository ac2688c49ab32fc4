import { CoreError } from "./core-error.js";
import { roundHalfEven } from "./round.js";
import { elementCount, type Tensor } from "./tensor.js";

function checkScales(
  operation: string,
  b: Tensor<"float32">,
  inputScale: number,
  weightScale: Float32Array,
): void {
  const count = elementCount(b.shape);
  if (weightScale.length !== 1 && weightScale.length !== count) {
    throw new CoreError(
      "length",
      `${operation}: weight scale: length: expected 1 or ${count} (the bias has shape [${b.shape.join(", ")}]), got ${weightScale.length}`,
      { expected: count, got: weightScale.length },
    );
  }
  for (const scale of [inputScale, ...weightScale]) {
    if (!(scale > 0 && scale < Infinity)) {
      throw new CoreError(
        "scale",
        `${operation}: scale: value: expected a positive finite number, got ${scale}`,
      );
    }
  }
  for (let i = 0; i < count; i++) {
    if (!Number.isFinite(b.data[i])) {
      throw new CoreError(
        "not-finite",
        `${operation}: element ${i}: value: expected a finite number, got ${b.data[i]}`,
        {
          index: i,
        },
      );
    }
  }
}

/**
 * Scales of a quantized bias: `float32(inputScale · weightScale)`, one for each weight scale.
 *
 * @example biasScale(0.5, new Float32Array([0.25])); // Float32Array [0.125]
 */
export function biasScale(inputScale: number, weightScale: Float32Array): Float32Array {
  return weightScale.map((scale) => Math.fround(inputScale) * scale);
}

/**
 * Quantizes a bias to int32: `q = clip(rne(b / (inputScale · weightScale)))`, zero point 0, divided in float64.
 *
 * @param b float32 [O].
 * @param inputScale scale of the activations.
 * @param weightScale one scale, or O of them.
 * @returns int32 [O]; values beyond int32 saturate (see {@link enlargeWeightScale}).
 * @throws CoreError `length`, `scale` for one that is not positive and finite, `not-finite`.
 * Source: ONNX Runtime 1.30, quantizer.
 * @example quantizeBias(tensor("float32", [1], new Float32Array([1])), 0.5, new Float32Array([0.25])); // [8]
 */
export function quantizeBias(
  b: Tensor<"float32">,
  inputScale: number,
  weightScale: Float32Array,
): Tensor<"int32"> {
  checkScales("quantizeBias", b, inputScale, weightScale);
  const scales = biasScale(inputScale, weightScale);
  const data = new Int32Array(b.data.length);
  for (let i = 0; i < data.length; i++) {
    const scale = (scales.length === 1 ? scales[0] : scales[i]) as number;
    const q = roundHalfEven((b.data[i] as number) / scale);
    data[i] = Math.min(2147483647, Math.max(-2147483648, q));
  }
  return { dtype: "int32", shape: b.shape, data };
}

/**
 * Weight scales with which a bias fits int32: each is kept, or enlarged until
 * `inputScale · weightScale ≥ 1.0001 · 2 · max|b| / (2^32 − 2)`.
 *
 * The weight must then be quantized with the new scales.
 *
 * @param b float32 [O].
 * @param inputScale scale of the activations.
 * @param weightScale one scale (the largest bias counts) or O of them (each its own).
 * @returns new scales; the caller's array is left as it was.
 * @throws CoreError as {@link quantizeBias} does.
 * Source: ONNX Runtime 1.30, quantizer, adjustment of weight scales for int32 biases.
 * @example enlargeWeightScale(tensor("float32", [1], new Float32Array([1])), 1, new Float32Array([1e-12]));
 * // about [4.657e-10]
 */
export function enlargeWeightScale(
  b: Tensor<"float32">,
  inputScale: number,
  weightScale: Float32Array,
): Float32Array {
  checkScales("enlargeWeightScale", b, inputScale, weightScale);
  const input = Math.fround(inputScale);
  const largest = b.data.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return weightScale.map((scale, i) => {
    const magnitude = weightScale.length === 1 ? largest : Math.abs(b.data[i] as number);
    const smallest = (1.0001 * 2 * magnitude) / (2 ** 32 - 2);
    if (Math.fround(input * scale) >= smallest) return scale;
    let enlarged = Math.fround(smallest / input);
    // Two roundings to float32 may fall just below the bound.
    while (Math.fround(input * enlarged) < smallest) enlarged = Math.fround(enlarged * (1 + 2 ** -23));
    return enlarged;
  });
}
