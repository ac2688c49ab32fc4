// What is in this folder becomes part of exported modules: it runs on any engine of JavaScript.
import { inflateSync } from "fflate";
import type { ModelProto } from "@nasty/formats/onnx";
import type { TaggerSettings } from "@nasty/taggers";
import { unpackValue } from "../plain-values.js";

/** What a module carries. */
export interface TaggerContent {
  /** The kernels of the portable engine, as WebAssembly. */
  readonly kernels: Uint8Array<ArrayBuffer>;
  /** The whole graph, or the two halves of a neural tagger: words to vectors, vectors to scores. */
  readonly parts: readonly ModelProto[];
  readonly settings: TaggerSettings;
}

/**
 * The content of a module.
 *
 * @param text base64 of the length of the content (uint32, little-endian) and the content in raw deflate
 * @param isAtOnce unpacks without a stream of the host, which takes four times as long: where workers serve many
 *   requests, a stream belongs to the one that began it
 */
export async function readContent(text: string, isAtOnce: boolean): Promise<TaggerContent> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  const content = new Uint8Array(new DataView(bytes.buffer).getUint32(0, true));
  const packed = bytes.subarray(4);
  if (isAtOnce || typeof DecompressionStream === "undefined") inflateSync(packed, { out: content });
  else await inflateByHost(packed, content);
  return unpackValue(content) as TaggerContent;
}

async function inflateByHost(packed: Uint8Array<ArrayBuffer>, out: Uint8Array): Promise<void> {
  const { writable, readable } = new DecompressionStream("deflate-raw");
  const writer = writable.getWriter();
  const written = writer.write(packed).then(() => writer.close());
  const reader = readable.getReader();
  let at = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    out.set(part.value, at);
    at += part.value.length;
  }
  await written;
}
