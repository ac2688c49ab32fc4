import { mkdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { type Recipe, recipeError } from "@nasty/compression/pipeline";
import { readFileMaybeCompressed, writeFileAtomic } from "@nasty/formats/archive/node";
import { isHfDirectory } from "@nasty/formats/hf/node";
import { defaultFloatPath } from "../models/default-model.js";
import { stemOf } from "./steps/operation-step.js";

/** Where the recipe's model is, and what names of outputs begin with. */
export interface FirstModel {
  readonly path: string;
  readonly stem: string;
  /** Whether it is the embedded one, to be unpacked into the output folder before anything is done to it. */
  readonly isDefault: boolean;
}

export async function findFirstModel(
  recipe: Pick<Recipe, "name" | "model" | "modelAt">,
  recipePath: string,
): Promise<FirstModel> {
  if (recipe.model === "default") {
    const path = defaultFloatPath();
    return { path, stem: stemOf(basename(path)), isDefault: true };
  }
  const path = resolve(dirname(recipePath), recipe.model);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !(found.isFile() || (await isHfDirectory(path)))) {
    throw recipeError(
      recipe.name,
      recipe.modelAt,
      `model: expected a model file, a Hugging Face directory or default, got none at ${path}; paths are relative to the recipe`,
    );
  }
  return { path, stem: stemOf(basename(path)).replace(/_fp32$/, ""), isDefault: false };
}

/** The embedded model as a plain file, so that sizes compare like with like; other models stay where they are. */
export async function unpackFirstModel(model: FirstModel, folder: string): Promise<string> {
  if (!model.isDefault) return model.path;
  const bytes = await readFileMaybeCompressed(model.path);
  const path = join(folder, `${model.stem}.onnx`);
  const existing = await readFile(path).catch(() => undefined);
  if (existing === undefined || Buffer.compare(existing, bytes) !== 0) {
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(path, [bytes]);
  }
  return path;
}
