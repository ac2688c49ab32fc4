import { readHead } from "./read-head.js";
import { readStep } from "./read-step.js";
import { openRecipe } from "./recipe-nodes.js";
import type { Recipe, StepSchema } from "./recipe.js";

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
  const { head, work } = readHead(reader, { name, key: "steps", expected: "a list of steps" });
  const items = reader.items(work, "steps");
  if (items.length === 0) throw reader.fail(work.at, "steps: expected at least 1, got 0");
  return {
    ...head,
    steps: items.map((item, index) =>
      readStep(reader, item, { number: index + 1, schemas, data: head.data }),
    ),
  };
}
