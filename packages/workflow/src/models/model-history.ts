import { createHash } from "node:crypto";
import { historyOf, type HistoryStep } from "@nasty/compression";
import { type Compression, compressionOfName } from "@nasty/formats/archive";
import { readChunks } from "@nasty/formats/archive/node";
import type { ModelProto } from "@nasty/formats/onnx";

/** What a compressed model file holds. */
export interface CompressedModel {
  readonly method: Compression;
  /** Of the file inside. */
  readonly modelBytes: number;
  /** Of the file inside, hexadecimal. */
  readonly sha256: string;
}

/** The file inside a compressed one, measured by decompressing it; undefined for a file that is not compressed. */
export async function compressedModel(modelPath: string): Promise<CompressedModel | undefined> {
  const method = compressionOfName(modelPath);
  if (method === undefined) return undefined;
  const hash = createHash("sha256");
  let modelBytes = 0;
  for await (const chunk of readChunks(modelPath)) {
    hash.update(chunk);
    modelBytes += chunk.length;
  }
  return { method, modelBytes, sha256: hash.digest("hex") };
}

/**
 * How the file was made, oldest step first.
 *
 * Compressing leaves the bytes inside as they were, so its step is not written in them: it is read off the file.
 */
export function historyOfFile(
  model: ModelProto,
  compressed: CompressedModel | undefined,
): readonly HistoryStep[] {
  const steps = historyOf(model);
  if (compressed === undefined) return steps;
  const { method, sha256 } = compressed;
  return [...steps, { step: "compress", options: { method }, inputSha256: sha256 }];
}
