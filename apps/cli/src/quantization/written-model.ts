import { randomBytes } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { compressionOfName, uncompressedName } from "@nasty/formats/archive";
import { compressed, writeFileAtomic, readChunks } from "@nasty/formats/archive/node";
import type { ModelProto } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";

/** A model on the disk that has not taken its name yet: what stands at that name is untouched until `commit`. */
export interface Candidate {
  /** The uncompressed file to load and judge. */
  readonly path: string;
  /** Puts the file under its name, compressed if the name says so. */
  commit(): Promise<{ readonly path: string; readonly bytes: number; readonly sha256: string }>;
  discard(): Promise<void>;
}

/** Files of 2 GB and more need their weights in a second file, which cannot be renamed without being named anew. */
const singleFileLimit = 2 ** 31 - 1;

/** Bytes of all weights that a model holds inline. */
function inlineBytes(model: ModelProto): number {
  return model.graph?.initializer.reduce((sum, tensor) => sum + (tensor.rawData?.byteLength ?? 0), 0) ?? 0;
}

/** Writes a model beside its final place, to be checked before it replaces anything. */
export async function writeCandidate(output: string, model: ModelProto): Promise<Candidate> {
  const compression = compressionOfName(output);
  if (inlineBytes(model) >= singleFileLimit) {
    const location = `${basename(uncompressedName(output))}.data`;
    const { bytes, sha256, externalData } = await writeModelFile(output, model, {
      externalData: { location },
    });
    return {
      path: output,
      commit: async () => ({ path: output, bytes: bytes + (externalData?.bytes ?? 0), sha256 }),
      discard: async () => {
        await rm(output, { force: true });
        await rm(join(dirname(output), location), { force: true });
      },
    };
  }
  const path = join(
    dirname(output),
    `.${basename(uncompressedName(output))}.${randomBytes(4).toString("hex")}.onnx`,
  );
  const { bytes, sha256 } = await writeModelFile(path, model);
  return {
    path,
    async commit() {
      if (compression === undefined) {
        await rename(path, output);
        return { path: output, bytes, sha256 };
      }
      const written = await writeFileAtomic(output, compressed(readChunks(path), compression));
      await rm(path, { force: true });
      return { path: output, ...written };
    },
    discard: () => rm(path, { force: true }),
  };
}
