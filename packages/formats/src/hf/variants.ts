/**
 * Suffixes of model files by the `dtype` that transformers.js calls them (3.8 and 4.3): `model.onnx` is fp32,
 * `model_quantized.onnx` is q8.
 */
const suffixes = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
} as const;

/** A model file of a Hugging Face directory, by the name that transformers.js gives it. */
export type ModelVariant = keyof typeof suffixes;

/** All variants, the plainest first. */
export const modelVariants = Object.keys(suffixes) as readonly ModelVariant[];

/** Whether a string names a variant. */
export function isModelVariant(name: string): name is ModelVariant {
  return Object.hasOwn(suffixes, name);
}

/**
 * The file name of a variant.
 *
 * @example
 * ```ts
 * modelFileName("q8"); // "model_quantized.onnx"
 * ```
 */
export function modelFileName(variant: ModelVariant): string {
  return `model${suffixes[variant]}.onnx`;
}
