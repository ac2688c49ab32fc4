import { labellingOfSettings } from "@nasty/taggers";
import { choiceOf } from "@nasty/workflow/texts/label-choice";
import { labellingDocument } from "@nasty/workflow/report/labelling-text";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { withHistory } from "@nasty/compression";
import { isHfDirectory } from "@nasty/formats/hf/node";
import type { ArchitectureName, Task } from "@nasty/taggers";
import { distill, openTeachers, type Teacher } from "@nasty/taggers/training";
import { fileCheckpoint } from "@nasty/training/node";
import { driftLine } from "@nasty/workflow/drift/drift-check";
import { firstSentences } from "@nasty/workflow/drift/drift-sample";
import { writeTrained } from "@nasty/workflow/drift/training-drift";
import { InputError, UsageError } from "@nasty/workflow/errors";
import { checkWritable } from "@nasty/workflow/files/output-path";
import { type NamedPaths, provenanceOf } from "@nasty/workflow/models/provenance";
import { checkSeparate } from "@nasty/workflow/files/separate-paths";
import { trainingSentences } from "@nasty/workflow/texts/training-sentences";
import { readWords } from "@nasty/workflow/texts/unlabelled-text";
import type { Terminal } from "../terminal/console.js";
import { formatBytes, formatPercent } from "@nasty/workflow/report/format";
import { type ClassifierOptions, dataOf, finish, outputFolder, recipeOf, runOf } from "./fine-tune.js";

export interface DistillCommandOptions extends Omit<ClassifierOptions, "task"> {
  readonly teacher: readonly string[];
  readonly student?: string;
  readonly studentSize?: number;
  readonly by?: "depth" | "width";
  readonly task?: Task;
  readonly unlabelled?: string;
  readonly temperature?: number;
  readonly alpha?: number;
  readonly hidden?: number;
}

/** What every kind of student is made from. */
interface Job {
  readonly options: DistillCommandOptions;
  readonly teachers: readonly Teacher[];
  readonly task: Task;
  readonly terminal: Terminal;
  /** The settings of the teaching that were given. */
  readonly teaching: { readonly temperature?: number; readonly alpha?: number };
}

/**
 * `nasty distill`: a smaller tagger learns from one teacher or several: a `cnn` or `bilstm`, written as a model file, or an encoder, written
 * as a Hugging Face directory.
 */
export async function distillModel(options: DistillCommandOptions, terminal: Terminal): Promise<void> {
  if (options.teacher.length === 0)
    throw new UsageError("distill: --teacher: expected at least one model, got none");
  const teachers = await openTeachers(options.teacher, { ...choiceOf(options), isSchemeOfText: true });
  const first = teachers[0];
  const { task } = first.settings;
  const student = studentOf(options.student, first);
  checkOptions(options, student);
  const teaching = {
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    ...(options.alpha === undefined ? {} : { alpha: options.alpha }),
  };
  const job: Job = { options, teachers, task, terminal, teaching };
  await (student === "cnn" || student === "bilstm"
    ? distillNetwork(student, job)
    : distillEncoder(student, job));
}

/** An architecture, the directory of an encoder, or undefined for a smaller encoder of the teacher's family. */
function studentOf(student: string | undefined, teacher: Teacher): string | undefined {
  if (student !== undefined || teacher.settings.kind === "transformer") return student;
  const inputs = teacher.model.graph?.input.map(({ name }) => name) ?? [];
  return (inputs.includes("lengths") ? "bilstm" : "cnn") satisfies ArchitectureName;
}

/** Options that a student of this kind has no use for are wrong usage. */
function checkOptions(options: DistillCommandOptions, student: string | undefined): void {
  const refuse = (name: string, what: string): never => {
    throw new UsageError(`distill: ${name}: expected ${what}, got it with the student ${student}`);
  };
  if (student === undefined) return;
  if (student !== "cnn" && student !== "bilstm") {
    if (options.studentSize !== undefined)
      refuse("--student-size", "a student that is made smaller, not one that is given");
    if (options.by !== undefined) refuse("--by", "a student that is made smaller, not one that is given");
    return;
  }
  if (options.by !== undefined) refuse("--by", "a transformer student");
  if (options.hidden !== undefined) refuse("--hidden", "a transformer student");
  if (options.validation === undefined)
    throw new UsageError(
      `distill: --validation: expected labelled text that the best epoch of a ${student} is chosen by, got none`,
    );
}

const pathsOf = ({ teacher, train, validation, unlabelled }: DistillCommandOptions): NamedPaths => ({
  teacher,
  train,
  validation,
  unlabelled,
});

const noteTeaching =
  (terminal: Terminal) =>
  (sentences: number): void => {
    if (sentences % 2048 === 0) terminal.note(`the teacher has labelled ${sentences} sentences`);
  };

async function distillEncoder(student: string | undefined, job: Job): Promise<void> {
  const { options, teachers, task, terminal, teaching } = job;
  if (student !== undefined && !(await isHfDirectory(student)))
    throw new InputError(
      `distill: --student ${student}: expected cnn, bilstm, or a Hugging Face directory, got no config.json in it`,
    );
  const read = [...options.teacher, ...(student === undefined ? [] : [student])];
  const { output, checkpoint } = await outputFolder(options.output, read);
  const labelled = { ...options, task };
  const recipe = {
    ...recipeOf(labelled),
    ...teaching,
    ...(student === undefined
      ? { studentSize: options.studentSize ?? 0.5, by: options.by ?? ("depth" as const) }
      : {}),
    ...(options.hidden === undefined ? {} : { hidden: options.hidden }),
  };
  const started = performance.now();
  terminal.note("the teacher labels the text");
  const distilled = await distill(teachers, {
    ...recipe,
    ...runOf(labelled, checkpoint, terminal),
    ...(student === undefined ? {} : { student }),
    data: dataOf(labelled),
    onTeaching: noteTeaching(terminal),
    ...(options.unlabelled === undefined ? {} : { unlabelled: readWords(options.unlabelled) }),
  });
  if (distilled.kind !== "transformer") throw new TypeError(`distill: student: ${distilled.kind}`);
  for (const warning of distilled.warnings) terminal.note(`warning: ${warning}`);
  const { parameters, warnings } = distilled;
  const seconds = (performance.now() - started) / 1000;
  await finish(distilled, {
    options: labelled,
    output,
    checkpoint,
    terminal,
    seconds,
    step: "distill",
    recipe: { ...recipe, student: "transformer" },
    paths: { ...pathsOf(options), student },
    more: { student: "transformer", parameters, warnings },
  });
}

async function distillNetwork(student: ArchitectureName, job: Job): Promise<void> {
  const { options, teachers, task, terminal, teaching } = job;
  const { validation = "", patience } = options;
  const output = resolve(options.output);
  await checkWritable("--output", output);
  const read = [...options.teacher, options.train, options.validation, options.unlabelled];
  await checkSeparate("distill", { "--output": options.output }, read);
  const checkpoint = `${output}.checkpoint`;
  const recipe = {
    ...recipeOf({ ...options, task }),
    ...teaching,
    student,
    studentSize: options.studentSize ?? (options.student === undefined ? 0.5 : 1),
  };
  const started = performance.now();
  terminal.note("the teacher labels the text");
  const distilled = await distill(teachers, {
    ...recipe,
    threads: options.threads,
    data: {
      train: await trainingSentences(options.train, task, "distill"),
      validation: await trainingSentences(validation, task, "distill"),
    },
    ...(options.unlabelled === undefined ? {} : { unlabelled: readWords(options.unlabelled) }),
    ...(patience === undefined ? {} : { patience }),
    checkpoint: fileCheckpoint(checkpoint),
    checkpointEvery: 200,
    onTeaching: noteTeaching(terminal),
    ...terminal.training,
  });
  for (const warning of distilled.warnings) terminal.note(`warning: ${warning}`);
  const model = withHistory(distilled.model, {
    step: "distill",
    options: { task, ...recipe },
    ...(await provenanceOf(undefined, pathsOf(options))),
  });
  const { settings } = distilled;
  const { drift, bytes, sha256 } = await writeTrained(output, {
    operation: "distill",
    output: options.output,
    model,
    settings,
    words: await firstSentences([options.validation, options.train], task),
    threads: options.threads,
    minCosine: options.minCosine,
  });
  await rm(checkpoint, { force: true });
  const { value, bestEpoch, history, stopped, parameters, warnings } = distilled;
  const metric = task === "pos" ? "accuracy" : "f1";
  const labelling = labellingDocument(labellingOfSettings(settings));
  const result = {
    task,
    scheme: labelling.scheme,
    labelling,
    output: { path: output, bytes, sha256 },
    student,
    labels: settings.labels,
    metric,
    value: value ?? null,
    bestEpoch: bestEpoch ?? null,
    epochs: history,
    stopped,
    seconds: (performance.now() - started) / 1000,
    drift,
    parameters,
    warnings,
  };
  terminal.result(result, () =>
    [
      `Wrote ${output} (${formatBytes(bytes)}): ${student} of ${parameters.student} parameters, teachers ${parameters.teacher}`,
      `  ${metric} on ${validation}: ${value === undefined ? "not measured" : formatPercent(value)} (epoch ${bestEpoch ?? "-"})`,
      driftLine(drift, "the trained model's"),
      `Next: nasty quantize --model ${options.output}`,
    ].join("\n"),
  );
}
