import { distill } from "@nasty/taggers/training";
import { readWords } from "../inputs/unlabelled-text.js";
import type { Terminal } from "../terminal/console.js";
import { type ClassifierOptions, dataOf, finish, outputFolder, recipeOf, runOf } from "./fine-tune.js";

interface DistillOptions extends ClassifierOptions {
  readonly teacher: readonly string[];
  readonly studentSize: number;
  readonly by: "depth" | "width";
  readonly unlabelled?: string;
  readonly temperature?: number;
  readonly alpha?: number;
  readonly hidden?: number;
}

/** `nasty distill`: a smaller encoder learns from one teacher or several, and is written as a Hugging Face directory. */
export async function distillModel(options: DistillOptions, terminal: Terminal): Promise<void> {
  const { output, checkpoint } = await outputFolder(options.output, options.teacher);
  const recipe = {
    ...recipeOf(options),
    studentSize: options.studentSize,
    by: options.by,
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    ...(options.alpha === undefined ? {} : { alpha: options.alpha }),
    ...(options.hidden === undefined ? {} : { hidden: options.hidden }),
  };
  const started = performance.now();
  terminal.note("the teacher labels the text");
  const student = await distill(options.teacher, {
    ...recipe,
    ...runOf(options, checkpoint, terminal),
    data: dataOf(options),
    ...(options.unlabelled === undefined ? {} : { unlabelled: readWords(options.unlabelled) }),
  });
  for (const warning of student.warnings) terminal.note(`warning: ${warning}`);
  const { parameters, warnings } = student;
  const seconds = (performance.now() - started) / 1000;
  const more = { parameters, warnings };
  await finish(student, { options, output, checkpoint, terminal, seconds, step: "distill", recipe, more });
}
