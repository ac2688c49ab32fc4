/** First bytes of formats that are mistaken for a model file, and what to do about it. */
const signatures: readonly (readonly [signature: string, advice: string])[] = [
  ["\x1f\x8b", "gzip data; decompress it first (readModelFile does)"],
  ["PK\x03\x04", "a zip archive, as PyTorch writes it; export the model to ONNX first"],
  ["\x89HDF", "an HDF5 file, as Keras writes it; export the model to ONNX first"],
  ["version https://git-lfs", "a Git LFS pointer; fetch the file itself (git lfs pull)"],
  ["<!DOCTYPE", "an HTML page; was an error page downloaded?"],
  ["<!doctype", "an HTML page; was an error page downloaded?"],
  ["<html", "an HTML page; was an error page downloaded?"],
  ["ORTM", "a model in ORT format; give the .onnx file that it was made from"],
];

/** Enough to tell, and short enough to cut no more than one character of UTF-8. */
const sampleBytes = 512;

/**
 * What bytes that are no model look like, with advice, or undefined where they look like nothing we know.
 *
 * @example
 * ```ts
 * resemblance(new TextEncoder().encode("# a readme")); // 'text that begins "# a readme"; …'
 * ```
 */
export function resemblance(bytes: Uint8Array): string | undefined {
  const head = String.fromCharCode(...bytes.subarray(0, 32));
  // ORT format is a flatbuffer: four bytes of offset come before its identifier.
  const known = signatures.find(
    ([signature]) => head.startsWith(signature) || head.slice(4).startsWith(signature),
  );
  if (known !== undefined) return known[1];
  // A safetensors file begins with the length of its JSON header, 8 bytes.
  if (bytes.length > 9 && head.slice(5, 9) === "\0\0\0{") {
    return "a safetensors file, which has weights but no graph; export the model to ONNX first";
  }
  return textOf(bytes.subarray(0, sampleBytes), bytes.length > sampleBytes);
}

function textOf(sample: Uint8Array, cut: boolean): string | undefined {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(sample, { stream: cut });
  } catch {
    return undefined;
  }
  // Control characters other than tab, line feed, form feed and carriage return do not occur in text.
  // oxlint-disable-next-line no-control-regex
  if (text.trim() === "" || /[\0-\x08\x0b\x0e-\x1f]/.test(text)) return undefined;
  const start = text.trim().slice(0, 24);
  return `text that begins ${JSON.stringify(start)}; give the .onnx file itself`;
}
