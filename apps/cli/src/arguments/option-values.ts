import type { Task } from "@nasty/taggers";
import type { LabelScheme } from "@nasty/formats/iob";
import { type Command, InvalidArgumentError, Option } from "commander";
import { textForms } from "@nasty/workflow/texts/input-format";
import { defaultEngine, engineNames } from "@nasty/workflow/training/training-engine";

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("Expected a whole number of 1 or more.");
  return value;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("Expected a whole number of 0 or more.");
  return value;
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError("Expected a number from 0 to 1.");
  return value;
}

export function percentile(text: string): number {
  const value = Number(text);
  if (!(value > 50 && value <= 100))
    throw new InvalidArgumentError("Expected a number above 50 and up to 100.");
  return value;
}

const sizeUnits: Readonly<Record<string, number>> = { "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9 };

/** Bytes: a number with or without kB, MB (1,000,000) or GB. */
export function fileSize(text: string): number {
  const [, digits = "", unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = sizeUnits[unit.toLowerCase()];
  if (digits === "" || factor === undefined)
    throw new InvalidArgumentError("Expected a size such as 4500000, 4500kB or 4.5MB.");
  return Math.round(Number(digits) * factor);
}

export function accuracyLevel(text: string): number {
  if (!/^[0-4]$/.test(text)) throw new InvalidArgumentError("Expected 0, 1, 2, 3 or 4.");
  return Number(text);
}

function cosine(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= -1 && value <= 1))
    throw new InvalidArgumentError("Expected a number from -1 to 1.");
  return value;
}

/** `--min-cosine`: how alike the outputs of a written file must be. */
export function minCosineOption(how: string): Option {
  return new Option("--min-cosine <c>", `${how}; -1 refuses only what is not finite`).argParser(cosine);
}

/** {@link minCosineOption} of what was trained. */
export const trainedCosineOption = (): Option =>
  minCosineOption(
    "refuse a file with an output less like the trained model's (default: 0.9999; of --qat 0.9, 0.8 with 4 bits)",
  );

/** Collects a repeatable option into a list. */
export function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError("Expected a number above 0.");
  }
  return value;
}

// Other names that the schemes go by; what is named once is the scheme's own.
const schemeNames: ReadonlyMap<string, LabelScheme> = new Map(
  Object.entries({
    iob1: "IOB1",
    iob: "IOB1",
    iob2: "IOB2",
    bio: "IOB2",
    bioes: "BIOES",
    iobes: "BIOES",
    bilou: "BIOES",
    bmes: "BMES",
    bmewo: "BMES",
    io: "IO",
    untyped: "untyped",
  } as const),
);

export function labelScheme(text: string): LabelScheme {
  const scheme = schemeNames.get(text.toLowerCase());
  if (scheme !== undefined) return scheme;
  throw new InvalidArgumentError("Expected iob1, iob2, bioes (or bilou), bmes, io or untyped.");
}

export function labelTask(text: string): Task {
  if (text === "pos" || text === "ner") return text;
  throw new InvalidArgumentError("Expected pos or ner.");
}

/** `--task`, where it is not a command's own. */
export function taskOption(of = "seen from the labels"): Option {
  return new Option("--task <task>", `what is labelled (default: ${of})`).choices(["pos", "ner"]);
}

/** `--scheme`, of entity labels. */
export function schemeOption(of = "seen from the labels"): Option {
  return new Option(
    "--scheme <scheme>",
    `how labels mark entities: iob1, iob2, bioes, bmes, io, untyped (default: ${of})`,
  ).argParser(labelScheme);
}

/** What labels are, for commands that judge or write them. */
export function withLabelOptions(command: Command): Command {
  return command.addOption(taskOption()).addOption(schemeOption());
}

/** `--engine`, for commands that train. */
export function engineOption(): Option {
  return new Option("--engine <name>", "what trains; tensorflow needs packages of its own")
    .choices(engineNames)
    .default(defaultEngine);
}

/** `--input-format`, for every command that reads text. */
export function inputFormatOption(): Option {
  return new Option(
    "--input-format <[file=]form>",
    "what a text is: conllu, columns or plain; for one file or for all (repeatable; default: seen from its content)",
  )
    .default([], "none")
    .argParser((value: string, previous: readonly string[] | undefined) => {
      if (!textForms.some((form) => form === value.slice(value.lastIndexOf("=") + 1))) {
        throw new InvalidArgumentError(`Expected one of ${textForms.join(", ")}.`);
      }
      return [...(previous ?? []), value];
    });
}

/** `--exact-batches`, for commands that tag. */
export function exactBatchesOption(): Option {
  return new Option(
    "--exact-batches",
    "tag one sentence at a time: labels of dynamic int8 files, whose ranges span a run, then depend on nothing but the sentence (slower)",
  );
}
