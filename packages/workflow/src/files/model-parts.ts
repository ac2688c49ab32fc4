import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { openModelFolder } from "@nasty/formats/hf/node";

/** What names of other forms of a file end in: transformers.js' variants, and how this toolkit calls what it makes. */
const formOf = /_(?:quantized|q8|int8|uint8|fp16|bf16|q4|q4f16|bnb4|int8_[a-z-]+|int4|mixed|pruned[\w-]*)$/i;

const stemOf = (name: string): string => name.replace(/\.onnx(?:\.gz|\.br)?$/i, "");

/** Whether a name is that of another form of a file that is there too. */
const isOtherForm = (stem: string, stems: ReadonlySet<string>): boolean =>
  formOf.test(stem) && stems.has(stem.replace(formOf, ""));

/**
 * The models of a folder that holds several instead of one `model.onnx`: an encoder and its decoder, a detector and its
 * recognizer.
 *
 * Other forms of a file that is there (`encoder_model_quantized.onnx` beside `encoder_model.onnx`) are no models of
 * their own.
 *
 * @returns paths in the order of their names, those of `onnx/` where the folder itself has none; none for a file, and
 *   for a folder with a `model.onnx` or another form of it
 */
export async function modelParts(path: string): Promise<readonly string[]> {
  const folder = await stat(path).catch(() => undefined);
  if (folder?.isDirectory() !== true || (await openModelFolder(path)).models.size > 0) return [];
  for (const inside of ["", "onnx"]) {
    const names = await readdir(join(path, inside)).catch((): string[] => []);
    const models = names.filter((name) => stemOf(name) !== name).sort();
    const stems = new Set(models.map(stemOf));
    const parts = models.filter((name) => !isOtherForm(stemOf(name), stems));
    if (parts.length > 0) return parts.map((name) => join(path, inside, name));
  }
  return [];
}
