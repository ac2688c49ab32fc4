import { chmod, realpath, rename, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { compressionOfName, uncompressedName } from "@nasty/formats/archive";
import { compressed, makeTemporaryFolder, readChunks, writeFileAtomic } from "@nasty/formats/archive/node";
import type { ModelProto } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";

/** A file and what is in it. */
export interface Written {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A model on the disk that has not taken its name yet: what stands at that name is untouched until `commit`. */
export interface Candidate {
  /** The uncompressed file to load and judge; see {@link Candidate.rename}. */
  readonly path: string;
  /** A text with the candidate's path replaced by the output's: nobody asked for the temporary name. */
  rename(text: string): string;
  /** Compresses the file if its name says so; says what `commit` will put there. */
  seal(): Promise<Written>;
  /** Puts the file under its name. */
  commit(): Promise<Written>;
  /** Puts the uncompressed file under another name in the same folder. */
  commitAs(path: string): Promise<void>;
  discard(): Promise<void>;
}

/** Files of 2 GB and more need their weights in a second file. */
const singleFileLimit = 2 ** 31 - 1;

/** Bytes of all weights that a model holds inline. */
function inlineBytes(model: ModelProto): number {
  return model.graph?.initializer.reduce((sum, tensor) => sum + (tensor.rawData?.byteLength ?? 0), 0) ?? 0;
}

/**
 * Writes a model into a hidden folder beside its final place, to be checked before it replaces anything. What else is
 * written while it is checked may lie in that folder too: it goes at the end, or when the process is interrupted.
 */
export async function writeCandidate(output: string, model: ModelProto): Promise<Candidate> {
  const target = await realpath(output).catch(() => output);
  const { path: folder, remove: discard } = await makeTemporaryFolder(resolve(target));
  try {
    const file = await writeInto(folder, target, model);
    let sealed: Written | undefined;
    const seal = async (): Promise<Written> => (sealed ??= { path: output, ...(await file.seal()) });
    return {
      path: file.path,
      rename: (text) => text.replaceAll(file.path, output),
      seal,
      async commit() {
        const written = await seal();
        await file.moveTo(target);
        await discard();
        return written;
      },
      async commitAs(other) {
        await file.keepAs(other);
        await discard();
      },
      discard,
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

interface FileInFolder {
  readonly path: string;
  seal(): Promise<{ readonly bytes: number; readonly sha256: string }>;
  moveTo(target: string): Promise<void>;
  keepAs(target: string): Promise<void>;
}

async function writeInto(folder: string, target: string, model: ModelProto): Promise<FileInFolder> {
  const name = uncompressedName(basename(target));
  const path = join(folder, name);
  const location = `${name}.data`;
  const isLarge = inlineBytes(model) >= singleFileLimit;
  const { bytes, sha256, externalData } = await writeModelFile(
    path,
    model,
    isLarge ? { externalData: { location } } : {},
  );
  const compression = compressionOfName(target);
  const sealedPath = join(folder, basename(target));
  return {
    path,
    async seal() {
      if (compression === undefined) return { bytes: bytes + (externalData?.bytes ?? 0), sha256 };
      return writeFileAtomic(sealedPath, compressed(readChunks(path), compression));
    },
    async moveTo(final) {
      const existing = await stat(final).catch(() => undefined);
      if (existing !== undefined) await chmod(sealedPath, existing.mode & 0o777);
      // Weights first: a model without its data would be unusable, data without its model is only unused.
      if (externalData !== undefined) await rename(externalData.path, join(dirname(final), location));
      await rename(sealedPath, final);
    },
    async keepAs(final) {
      // The model names its data file: that one keeps its name.
      if (externalData !== undefined) await rename(externalData.path, join(dirname(final), location));
      await rename(path, final);
    },
  };
}
