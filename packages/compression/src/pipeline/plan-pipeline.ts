import { type DataName, dataNames, type Recipe, type RecipeStep, type StepSchema } from "./recipe.js";

/** A step with everything that decides what it makes, except the model it is given. */
export interface PlannedStep extends RecipeStep {
  /** File or folder name of what it writes; null for a step that writes nothing. */
  readonly outputName: string | null;
  /** SHA-256 of the texts it reads, by name. */
  readonly data: Readonly<Partial<Record<DataName, string>>>;
}

export interface PlanPipelineOptions {
  readonly schemas: readonly StepSchema[];
  /** SHA-256 of the texts of the data section. */
  readonly dataHashes: Readonly<Partial<Record<DataName, string>>>;
  /** Name of the first model, without ending: names of outputs begin with it. */
  readonly stem: string;
  /** Name of a step's output, made of the name of the model that it is given; null if it writes nothing. */
  readonly outputNameOf: (step: RecipeStep, input: string) => string | null;
  /** Whether the next step works on what a step writes. */
  readonly makesModel: (step: RecipeStep) => boolean;
}

/**
 * What a recipe will do, step by step: plain data, nothing is run.
 *
 * Names say how a file was made (`pos_pruned30_int8_percentile.onnx`); where two steps would write one name, the later
 * gets a number.
 */
export function planPipeline(recipe: Recipe, options: PlanPipelineOptions): readonly PlannedStep[] {
  const taken = new Set<string>();
  let current = `${options.stem}.onnx`;
  taken.add(current);
  return recipe.steps.map((step): PlannedStep => {
    const wanted = options.outputNameOf(step, current);
    const outputName = wanted === null ? null : freeName(wanted, taken);
    if (outputName !== null) {
      taken.add(outputName);
      if (options.makesModel(step)) current = outputName;
    }
    return { ...step, outputName, data: dataOf(recipe, step, options) };
  });
}

/** `pos_tuned.onnx` → `pos_tuned_2.onnx`. */
function freeName(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  const [, stem = wanted, ending = ""] = /^(.*?)((?:\.onnx)?(?:\.gz|\.br)?)$/.exec(wanted) ?? [];
  for (let number = 2; ; number++) {
    const name = `${stem}_${number}${ending}`;
    if (!taken.has(name)) return name;
  }
}

function dataOf(
  recipe: Recipe,
  step: RecipeStep,
  { schemas, dataHashes }: PlanPipelineOptions,
): PlannedStep["data"] {
  const schema = schemas.find(({ name }) => name === step.kind);
  const named = (schema?.options ?? [])
    .filter(({ takes, name }) => takes === "data" && name in step.options)
    .map(({ name }) => step.options[name] as DataName);
  const needed = (schema?.needs?.(step.options) ?? []).map(({ name }) => name);
  const used = new Set([...named, ...needed].filter((name) => recipe.data[name] !== undefined));
  return Object.fromEntries(
    dataNames.filter((name) => used.has(name)).map((name) => [name, dataHashes[name]] as const),
  );
}
