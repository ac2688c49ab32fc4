import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { isHfDirectory } from "@nasty/formats/hf/node";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { TaggerError, type TaggerSettings } from "@nasty/taggers";
import { findTagger, settingsOfModelFile } from "@nasty/taggers/node";

/** A model as data: to be planned, described or rewritten, not to be run. */
export interface LoadedModel {
  /** What the user named: a model file or a Hugging Face directory. */
  readonly path: string;
  /** The file itself. */
  readonly modelPath: string;
  readonly modelBytes: number;
  readonly model: ModelProto;
  /** Undefined for a model that has no labels and tokenizer in it or beside it. */
  readonly tagger: TaggerSettings | undefined;
  /** SHA-256 of the file, hexadecimal. */
  sha256(): Promise<string>;
}

/** Bytes of a model: the file, and the data files that its weights are in. */
export async function bytesOfModel(modelPath: string): Promise<number> {
  const { size } = await stat(modelPath);
  const data = await stat(`${modelPath}.data`).catch(() => undefined);
  return size + (data?.size ?? 0);
}

/** Reads the model that `--model` names and finds its tagger, if it has one. */
export async function loadModel(path: string): Promise<LoadedModel> {
  const found = (await isHfDirectory(path)) ? await findTagger(path) : undefined;
  const modelPath = found?.modelPath ?? path;
  const model = await readModelFile(modelPath);
  return {
    path,
    modelPath,
    modelBytes: await bytesOfModel(modelPath),
    model,
    tagger: found?.settings ?? (await optionalSettings(path, model)),
    sha256: () => sha256OfFile(modelPath),
  };
}

async function optionalSettings(path: string, model: ModelProto): Promise<TaggerSettings | undefined> {
  try {
    return await settingsOfModelFile(path, model);
  } catch (error) {
    if (error instanceof TaggerError && error.code === "tokenizer-missing") return undefined;
    throw error;
  }
}

/** In large pieces: a stream's 64 kB chunks cost more than the hash. */
async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1 << 22);
  const file = await open(path);
  try {
    for (let read = await file.read(buffer); read.bytesRead > 0; read = await file.read(buffer)) {
      hash.update(buffer.subarray(0, read.bytesRead));
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}
