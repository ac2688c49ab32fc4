import type { Provenance } from "@nasty/compression";
import { isHfDirectory, openHfDirectory } from "@nasty/formats/hf/node";
import { versions } from "../versions.js";
import { sha256OfFile } from "./file-hash.js";
import { standardInputSha256 } from "./standard-input.js";

/** Paths of the texts and other models that take part in a step, by what they are for; undefined ones were not given. */
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

/** The file that training reads a model's weights from: the path itself, or safetensors before ONNX in a directory. */
export async function weightsFileOf(path: string): Promise<string> {
  if (!(await isHfDirectory(path))) return path;
  const directory = await openHfDirectory(path);
  return directory.safetensorsPath ?? directory.modelPath();
}
