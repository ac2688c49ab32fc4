import { withinLoss } from "@nasty/compression";
import {
  type DataName,
  type OptionSchema,
  type StepJob,
  type StepOptions,
  type StepOutcome,
} from "@nasty/compression/pipeline";
import { lossInterval } from "@nasty/taggers";
import { InputError } from "../../errors.js";
import { formatPercent } from "../../report/format.js";
import { evaluateModel } from "../measure-models.js";
import { type RecipeContext, type StepKind, textPath } from "./step-kind.js";

const options: readonly OptionSchema[] = [
  { name: "on", takes: "data" },
  {
    name: "target-accuracy-loss",
    takes: "value",
    check: (value) =>
      Number(value) >= 0 && Number(value) <= 1 ? undefined : "expected a number from 0 to 1",
  },
];

const textOf = (given: StepOptions): DataName => (given["on"] ?? "test") as DataName;

/** `eval`: the current model on a text, against the first one; with a target it is a gate for everything before it. */
export const evalStep: StepKind = {
  schema: {
    name: "eval",
    options,
    needs: (given) => [{ name: textOf(given), isRequired: true, purpose: "the model is evaluated on it" }],
  },
  makesModel: false,
  outputNameOf: () => null,
  async check(step, { task }) {
    if (task === undefined) {
      throw new InputError(
        `${step.kind}: model: expected labels and a tokenizer in it or beside it, got none`,
      );
    }
  },
  async run({ step, input, stages }: StepJob, context): Promise<StepOutcome> {
    const name = textOf(step.options);
    const target = step.options["target-accuracy-loss"];
    const { perLabel, ...score } = await evaluate(input.path, name, context);
    const first = stages[0]?.output;
    const before =
      first === undefined || first === null || first.sha256 === input.sha256
        ? score
        : await evaluate(first.path, name, context);
    const loss = before.value - score.value;
    const interval = lossInterval(score.metric, before.sentenceCounts, score.sentenceCounts, {
      seed: context.seed,
    });
    const { sentenceCounts: _, ...figures } = score;
    const lossCi95 = [interval.low, interval.high];
    const result = { on: name, ...figures, first: before.value, loss, lossCi95, perLabel };
    if (target !== undefined && !withinLoss(loss, Number(target))) {
      return {
        kind: "refused",
        message: `eval: ${name}: accuracy gate: expected a loss of at most ${(Number(target) * 100).toFixed(2)} points of ${score.metric}, got ${(loss * 100).toFixed(2)} (${formatPercent(before.value)} -> ${formatPercent(score.value)}); outputs of the steps before it are kept`,
        result,
      };
    }
    return { kind: "done", output: null, isModel: false, result };
  },
};

async function evaluate(model: string, name: DataName, context: RecipeContext) {
  const test = textPath(context, name);
  if (test === undefined) throw new TypeError(`eval: text ${name} is not there`);
  return evaluateModel(model, { test, ...context });
}
