import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { historyOf, type HistoryStep, type Provenance } from "@nasty/compression";
import { isHfDirectory, openModelFolder } from "@nasty/formats/hf/node";
import { readModelFile } from "@nasty/formats/onnx/node";
import { parseEncoderConfig } from "@nasty/taggers/encoders";
import { versions } from "../versions.js";
import { sha256OfFile } from "../files/file-hash.js";
import { standardInputSha256 } from "../texts/standard-input.js";

/**
 * Paths of the texts and other models that take part in a step, by what they are for; undefined ones were not given.
 */
export type NamedPaths = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * What a step of the history says beside its options: input, data and versions.
 *
 * Standard input (`-`) has a hash when it was read to the end.
 *
 * @param inputSha256 hash of the model file that the step changes; undefined for a step that starts from random weights
 */
export async function provenanceOf(
  inputSha256: string | undefined,
  paths: NamedPaths = {},
): Promise<Provenance> {
  const data: Record<string, string | readonly string[]> = {};
  for (const [name, given] of Object.entries(paths)) {
    if (given === undefined || given.length === 0) continue;
    if (typeof given === "string") {
      const hash = await hashOf(given);
      if (hash !== undefined) data[name] = hash;
      continue;
    }
    const hashes: string[] = [];
    for (const path of given) hashes.push((await hashOf(path)) ?? "");
    data[name] = hashes;
  }
  return {
    ...(inputSha256 === undefined ? {} : { inputSha256 }),
    ...(Object.keys(data).length === 0 ? {} : { data }),
    versions: versions(),
  };
}

/** SHA-256 of a text, a model file, or the weights of a model's directory. */
async function hashOf(path: string): Promise<string | undefined> {
  return path === "-" ? standardInputSha256() : sha256OfFile(await weightsFileOf(path));
}

/** The file that training reads a model's weights from: the path itself, or what a directory has, safetensors first. */
export async function weightsFileOf(path: string): Promise<string> {
  if (!(await isHfDirectory(path))) return path;
  // An encoder that nobody gave labels yet is no directory of a tagger: only its files are looked at.
  const files = ["onnx/model.onnx", "model.onnx"];
  if (await hasKnownFamily(path)) files.unshift("model.safetensors");
  for (const file of files) if (await isFile(join(path, file))) return join(path, file);
  return (await openModelFolder(path)).modelPath();
}

/** Whether a graph can be built for the weights in `model.safetensors`. */
async function hasKnownFamily(path: string): Promise<boolean> {
  try {
    parseEncoderConfig(JSON.parse(await readFile(join(path, "config.json"), "utf8")));
    return true;
  } catch {
    return false;
  }
}

/** How a model was made that training starts from: the graph is built anew, its history goes on. */
export async function historyOfBase(path: string): Promise<readonly HistoryStep[]> {
  if (!(await isHfDirectory(path))) return historyOf(await readModelFile(path));
  for (const file of ["onnx/model.onnx", "model.onnx"]) {
    if (await isFile(join(path, file))) return historyOf(await readModelFile(join(path, file)));
  }
  return [];
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
