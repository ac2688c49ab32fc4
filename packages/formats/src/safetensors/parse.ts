import { bitsOf, dataConstructor, type Tensor, tensor } from "@nasty/core";
import { type Entry, readHeader, safetensorsError } from "./header.js";

/** How strict to be beyond the format. */
export interface ParseSafetensorsOptions {
  /** Refuse a tensor that cannot be a view because its bytes are not aligned, instead of copying it. */
  readonly requireAligned?: boolean;
}

/**
 * Reads the tensors of a safetensors file as views of its bytes.
 *
 * The header is checked against the bytes present before anything is made: sizes, element types, shapes, and that the
 * tensors cover the data exactly, without gap or overlap. Nothing is copied but a tensor whose bytes are not aligned to
 * its element (writers order tensors so that there is none).
 *
 * @param bytes a whole file, at any offset of its buffer; keep it unchanged while the tensors are in use
 * @returns tensors by name, in the order of the header; an empty file body gives an empty map
 * @throws FormatError `truncated`, `limit`, `magic`, `json`, `header`, `duplicate`, `unknown-dtype` (also for the 8-bit
 *   and smaller floats), `shape`, `size`, `overlap`, `gap`, `alignment` (with `requireAligned`)
 * @see safetensors 0.4–0.6, https://github.com/huggingface/safetensors#format
 * @example
 * ```ts
 * parseSafetensors(bytes).get("classifier.weight")?.shape; // [17, 256]
 * ```
 */
export function parseSafetensors(
  bytes: Uint8Array,
  { requireAligned = false }: ParseSafetensorsOptions = {},
): Map<string, Tensor> {
  const { entries, dataStart } = readHeader(bytes);
  return new Map(entries.map((entry) => [entry.name, viewOf(bytes, dataStart, entry, requireAligned)]));
}

/**
 * The `__metadata__` of a safetensors file.
 *
 * @throws FormatError as {@link parseSafetensors}, all but `alignment`
 * @example
 * ```ts
 * safetensorsMetadata(bytes).get("format"); // "pt"
 * ```
 */
export function safetensorsMetadata(bytes: Uint8Array): ReadonlyMap<string, string> {
  return readHeader(bytes).metadata;
}

function viewOf(bytes: Uint8Array, dataStart: number, entry: Entry, requireAligned: boolean): Tensor {
  const { name, dtype, shape, begin, end } = entry;
  const construct = dataConstructor(dtype);
  const size = bitsOf(dtype) / 8;
  const offset = bytes.byteOffset + dataStart + begin;
  if (offset % size === 0) {
    return tensor(dtype, shape, new construct(bytes.buffer, offset, (end - begin) / size));
  }
  if (requireAligned) {
    const where = `tensor ${JSON.stringify(name)}`;
    const expected = `a multiple of ${size}`;
    throw safetensorsError("alignment", where, "address of the data", {
      expected,
      got: String(offset),
      name,
    });
  }
  // Not slice(): of a Node Buffer that is another view.
  const copy = new Uint8Array(bytes.subarray(dataStart + begin, dataStart + end));
  return tensor(dtype, shape, new construct(copy.buffer, copy.byteOffset, (end - begin) / size));
}
