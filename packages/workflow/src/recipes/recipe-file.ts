import { readFile, stat } from "node:fs/promises";
import { InputError } from "../errors.js";

/** A recipe is a page of text; more is some other file. */
const largestRecipe = 1e6;

/** The text of a recipe. */
export async function readRecipeFile(path: string, operation: string): Promise<string> {
  const found = await stat(path);
  if (found.isDirectory()) {
    throw new InputError(
      `${operation}: ${path}: expected a recipe, got a folder; give the recipe's YAML file`,
    );
  }
  const { size } = found;
  if (size > largestRecipe) {
    throw new InputError(
      `${operation}: ${path}: expected a recipe of at most ${largestRecipe} bytes, got ${size}; give the recipe's YAML file`,
    );
  }
  return readFile(path, "utf8");
}
