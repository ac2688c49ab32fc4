import { join, resolve } from "node:path";
import { isHfDirectory, openModelFolder } from "@nasty/formats/hf/node";
import { UsageError } from "../errors.js";
import { isSameFile } from "./output-path.js";

/** Files to be written, by the option that names each; undefined ones were not asked for. */
export type OutputPaths = Readonly<Record<string, string | undefined>>;

/**
 * Nothing that is written may take the place of what is read, or of something else that is written.
 *
 * @param operation the command, for messages
 * @param inputs files and Hugging Face directories that are read; `-` and undefined ones are left out
 * @throws UsageError that names the option and the other path
 */
export async function checkSeparate(
  operation: string,
  outputs: OutputPaths,
  inputs: readonly (string | undefined)[],
): Promise<void> {
  const written = new Map<string, string>();
  const read = (await Promise.all(inputs.map(filesOf))).flat();
  for (const [option, output] of Object.entries(outputs)) {
    if (output === undefined) continue;
    const other = written.get(resolve(output));
    if (other !== undefined) {
      throw new UsageError(
        `${operation}: ${option} ${output}: expected another file than ${other}'s, got the same; name a new one`,
      );
    }
    written.set(resolve(output), option);
    for (const input of read) {
      if (!(await isSameFile(output, input))) continue;
      throw new UsageError(
        `${operation}: ${option} ${output}: expected another file than an input, got ${input}; name a new one`,
      );
    }
  }
}

/** The files behind an input: of a model's directory those that a model is read from. */
async function filesOf(path: string | undefined): Promise<readonly string[]> {
  if (path === undefined || path === "-") return [];
  if (!(await isHfDirectory(path))) return [path];
  const graph = await openModelFolder(path)
    .then((directory) => directory.modelPath())
    .catch(() => undefined);
  const names = ["model.safetensors", "config.json", "tokenizer.json"];
  return [...names.map((name) => join(path, name)), ...(graph === undefined ? [] : [graph])];
}
