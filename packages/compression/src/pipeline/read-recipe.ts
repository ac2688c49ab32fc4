import { readData } from "./read-data.js";
import { readStep } from "./read-step.js";
import { openRecipe, type RecipeEntry } from "./recipe-nodes.js";
import type { Recipe, RecipeWord, StepSchema } from "./recipe.js";

/**
 * Reads a recipe (YAML 1.2) and checks it against the steps that there are, before anything runs.
 *
 * A recipe has `model`, perhaps `task` and `scheme` of its labels, a `data` section with any of train, validation,
 * test, calibration and unlabelled, and `steps`: each the name of a step, alone or with its options.
 *
 * @param text the recipe
 * @param schemas steps that may be named, with their options
 * @param name of the file, for messages
 * @returns the recipe as plain data; option values are text as on a command line, flags true or false
 * @throws CompressionError `invalid-recipe` with `line` and `column`: text that is not YAML, unknown keys, steps and
 *   options (with the nearest name), values of another type, texts that a step needs and the data section has not
 * @see YAML 1.2.2, https://yaml.org/spec/1.2.2/
 * @example readRecipe("model: pos.onnx\nsteps: [{ quantize: { mode: dynamic } }]", schemas,
 *   "mobile.yaml").steps[0].kind // "quantize"
 */
export function readRecipe(text: string, schemas: readonly StepSchema[], name: string): Recipe {
  const reader = openRecipe(text, name);
  const entries = reader.entries(reader.root, "recipe", ["model", "task", "scheme", "data", "steps"]);
  const entry = (key: string): RecipeEntry | undefined => entries.find((one) => one.key === key);
  const required = (key: string, what: string): RecipeEntry => {
    const found = entry(key);
    if (found === undefined) throw reader.fail(reader.root.at, `${key}: expected ${what}, got none`);
    return found;
  };
  const word = (key: string, what: string): RecipeWord | undefined => {
    const found = entry(key);
    return found && { text: reader.text(found, key, what), at: found.at };
  };
  const model = required("model", "a model file, a Hugging Face directory or default");
  const data = readData(reader, entry("data"));
  const steps = required("steps", "a list of steps");
  const items = reader.items(steps, "steps");
  if (items.length === 0) throw reader.fail(steps.at, "steps: expected at least 1, got 0");
  return {
    name,
    model: reader.text(model, "model", "a path or default"),
    modelAt: model.at,
    task: word("task", "pos or ner"),
    scheme: word("scheme", "a label scheme"),
    data,
    steps: items.map((item, index) => readStep(reader, item, { number: index + 1, schemas, data })),
  };
}
