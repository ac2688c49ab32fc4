import { byteLength, type DType, type Tensor } from "@nasty/core";
import { FormatError } from "../format-error.js";
import { dtypeNames } from "./header.js";

const writtenNames: ReadonlyMap<DType, string> = new Map(
  [...dtypeNames].map(([name, dtype]) => [dtype, name]),
);

/**
 * The bytes of a safetensors file, piece by piece: the header, then each tensor as a view of its data.
 *
 * Tensors stand in the order of falling element size, then of their names, and the header is padded to a multiple of 8
 * bytes: so every tensor is aligned, and the bytes do not depend on the order of the map.
 *
 * @param tensors tensors by name
 * @param metadata text by key, written as `__metadata__`
 * @throws FormatError `unsupported` (int4, uint4: the format has no such type), `invalid-value` (the name
 *   `__metadata__`)
 * @example
 * ```ts
 * await writeFileAtomic("model.safetensors", safetensorsChunks(tensors, { format: "pt" }));
 * ```
 */
export function* safetensorsChunks(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const ordered = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT || (nameA < nameB ? -1 : 1),
  );
  const entries: [string, unknown][] = [];
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0)
    entries.push(["__metadata__", Object.fromEntries(keys.map((key) => [key, metadata[key]]))]);
  let offset = 0;
  for (const [name, { dtype, shape }] of ordered) {
    const written = writtenNames.get(dtype);
    if (written === undefined || name === "__metadata__") throw unwritable(name, dtype);
    const end = offset + byteLength(dtype, shape);
    entries.push([name, { dtype: written, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",");
  const header = new TextEncoder().encode(`{${json}}`);
  const padded = Math.ceil(header.length / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(header, 8);
  yield head;
  for (const [, { data }] of ordered) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * A safetensors file with these tensors, in one array; see {@link safetensorsChunks}.
 *
 * @example
 * ```ts
 * serializeSafetensors(new Map([["bias", tensor("float32", [2], Float32Array.of(1, 2))]]));
 * ```
 */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const chunks = [...safetensorsChunks(tensors, metadata)];
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function unwritable(name: string, dtype: DType): FormatError {
  const where = `serializeSafetensors: tensor ${JSON.stringify(name)}`;
  if (name === "__metadata__") {
    return new FormatError("invalid-value", `${where}: name: expected any but the reserved one, got it`, {
      name,
    });
  }
  const expected = [...writtenNames.keys()].join(", ");
  return new FormatError("unsupported", `${where}: dtype: expected ${expected}, got ${dtype}`, { name });
}
