import { readData } from "./read-data.js";
import type { RecipeEntry, RecipeReader } from "./recipe-nodes.js";
import type { Recipe, RecipeWord } from "./recipe.js";

/** What a recipe says before it says what is to be done. */
export type RecipeHead = Omit<Recipe, "steps">;

/** Keys of the head. */
const headKeys = ["model", "task", "scheme", "data"] as const;

/** The head of a recipe, and the entry behind it that says what is to be done. */
export function readHead(
  reader: RecipeReader,
  what: { readonly name: string; readonly key: string; readonly expected: string },
): { readonly head: RecipeHead; readonly work: RecipeEntry } {
  const entries = reader.entries(reader.root, "recipe", [...headKeys, what.key]);
  const entry = (key: string): RecipeEntry | undefined => entries.find((one) => one.key === key);
  const required = (key: string, expected: string): RecipeEntry => {
    const found = entry(key);
    if (found === undefined) throw reader.fail(reader.root.at, `${key}: expected ${expected}, got none`);
    return found;
  };
  const word = (key: string, expected: string): RecipeWord | undefined => {
    const found = entry(key);
    return found && { text: reader.text(found, key, expected), at: found.at };
  };
  const model = required("model", "a model file, a Hugging Face directory or default");
  const data = readData(reader, entry("data"));
  const work = required(what.key, what.expected);
  return {
    head: {
      name: what.name,
      model: reader.text(model, "model", "a path or default"),
      modelAt: model.at,
      task: word("task", "pos or ner"),
      scheme: word("scheme", "a label scheme"),
      data,
    },
    work,
  };
}
