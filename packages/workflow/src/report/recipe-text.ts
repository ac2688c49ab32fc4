import type { PipelineReport, PlannedStep, StageReport } from "@nasty/compression/pipeline";
import { formatBytes, formatMs, formatPercent, formatRatio } from "./format.js";
import { table } from "./table.js";

export interface PipelineResult extends PipelineReport {
  readonly recipe: string;
  readonly model: string;
  readonly output: string;
  readonly test: string | null;
}

export interface PipelinePlanResult {
  readonly recipe: string;
  readonly model: string;
  readonly output: string;
  readonly steps: readonly PlannedStep[];
}

const none = "-";

/** `2 prune` with what is special about it. */
function stageName({ step, kind, status }: StageReport): string {
  if (step === 0) return "the model";
  return `${step} ${kind}${status === "skipped" ? " (done before)" : ""}`;
}

const points = (share: number): string => (share * 100).toFixed(2);

/** Head and rows of the table of all models, each against the first. */
export function stageTable(stages: readonly StageReport[]) {
  const metric = stages[0]?.metric === "f1" ? "F1" : "accuracy";
  return {
    head: ["step", metric, "loss, points", "size", "smaller", "ms/sentence", "faster", "memory"],
    rows: stages
      .filter(({ output }) => output !== null)
      .map((stage) => [
        stageName(stage),
        stage.value === null ? none : formatPercent(stage.value),
        stage.loss === null || stage.step === 0 ? none : points(stage.loss),
        stage.output === null ? none : formatBytes(stage.output.bytes),
        stage.sizeRatio === null ? none : formatRatio(stage.sizeRatio),
        stage.msPerSentence === null ? none : formatMs(stage.msPerSentence.p50),
        stage.speedup === null ? none : formatRatio(stage.speedup),
        stage.memoryBytes === null ? none : formatBytes(stage.memoryBytes),
      ]),
  };
}

interface Said {
  readonly gate?: {
    readonly metric: string;
    readonly loss: number;
    readonly target: number | null;
    readonly keptInFloat?: readonly string[];
  } | null;
  readonly warnings?: readonly string[];
  readonly on?: string;
  readonly metric?: string;
  readonly value?: number;
  readonly loss?: number;
  readonly lossCi95?: readonly [number, number];
}

/** What steps said of themselves: gates, evaluations, warnings. */
export function stageNotes(stages: readonly StageReport[]): string[] {
  return stages.flatMap(({ step, kind, result }) => {
    const { gate, warnings = [], on, metric, value, loss = 0, lossCi95 } = (result ?? {}) as Said;
    const name = `${step} ${kind}`;
    return [
      ...(gate == null || gate.target === null
        ? []
        : [
            `${name}: gate passed, loss ${points(gate.loss)} of at most ${points(gate.target)} points of ${gate.metric} on the validation text` +
              ((gate.keptInFloat ?? []).length === 0
                ? ""
                : `; left in float: ${gate.keptInFloat?.join(", ")}`),
          ]),
      ...(on === undefined || value === undefined
        ? []
        : [
            `${name}: ${metric} ${formatPercent(value)} on ${on}, loss ${points(loss)} points (95 %: ${(lossCi95 ?? []).map(points).join(" to ")})`,
          ]),
      ...warnings.map((warning) => `${name}: ${warning}`),
    ];
  });
}

/** The report of a pipeline for a person to read; MB = 10^6 bytes. */
export function recipeText(result: PipelineResult): string {
  const { stages, refused, recipe, output, test } = result;
  const { head, rows } = stageTable(stages);
  const written = stages.filter((stage) => stage.output !== null && stage.step > 0);
  const notes = stageNotes(stages);
  const skipped = stages.filter(({ status }) => status === "skipped").length;
  const interval = stages.findLast((stage) => stage.lossCi95 !== null && stage.step > 0)?.lossCi95;
  return [
    `Pipeline ${recipe} -> ${output}`,
    ...(skipped === 0
      ? []
      : [`${skipped} of ${stages.length - 1} steps were done by an earlier run (--fresh does them again)`]),
    "",
    table(head, rows),
    ...(test === null
      ? [
          "",
          "No test text in the data section, or no labels and tokenizer in the model: neither accuracy nor speed were measured",
        ]
      : ["", `Measured on ${test}; speed: medians, the models in turn`]),
    ...(interval == null
      ? []
      : [`95% interval of the last model's loss: ${interval.map(points).join(" to ")} points`]),
    ...(notes.length === 0 ? [] : ["", ...notes]),
    ...(written.length === 0
      ? []
      : ["", "Written:", ...written.map((stage) => `  ${stage.step} ${stage.kind}: ${stage.output?.path}`)]),
    ...(refused === null
      ? []
      : ["", `Step ${refused.step} (${refused.kind}) was refused: ${refused.message}`]),
  ].join("\n");
}

/** What `--dry-run` prints. */
export function recipePlanText({ recipe, model, output, steps }: PipelinePlanResult): string {
  return [
    `Plan of ${recipe}: ${steps.length === 1 ? "1 step" : `${steps.length} steps`} on ${model} -> ${output}`,
    "",
    table(
      ["step", "options", "data", "writes"],
      steps.map(({ number, kind, options, data, outputName }) => [
        `${number} ${kind}`,
        Object.entries(options)
          .map(([name, value]) => `${name}=${String(value)}`)
          .join(" "),
        Object.keys(data).join(" "),
        outputName ?? "nothing",
      ]),
      ["left", "left", "left", "left"],
    ),
  ].join("\n");
}
