// Writes docs/options.md from the schemas of the operations; with --check it only says whether the page is what they
// make.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as operations from "../packages/workflow/dist/operations/index.js";
import { stepKinds } from "../packages/workflow/dist/recipes/steps/step-kinds.js";
import { markdownParagraphs } from "./prose/markdown.mjs";
import { narrowed } from "./prose/paragraph.mjs";

const page = fileURLToPath(new URL("../docs/options.md", import.meta.url));

const { benchmarkOperation, compareOperation, compressOperation, distillOperation } = operations;
const { estimateOperation, evaluateOperation, exportOperation, fineTuneOperation } = operations;
const { importOperation, inspectOperation, longName, namedOptions, pipelineOperation } = operations;
const { pruneOperation, quantizeOperation, readValue, running } = operations;
const { scoreOperation, sweepOperation, tagCommandOperation, tagCorpusOperation, tagOperation } = operations;
const { queueCorpusOperation, trainOperation, verifyOperation, workOperation } = operations;

/** Every operation with its call in a program; `first` are the options that stand before the options object. */
const calls = [
  { operation: quantizeOperation, call: "quantize(model, options)", first: ["model"] },
  { operation: compareOperation, call: "compare(models, options)", first: ["original", "quantized"] },
  { operation: estimateOperation, call: "estimate(model, options)", first: ["model"] },
  { operation: pruneOperation, call: "prune(model, options)", first: ["model"] },
  { operation: compressOperation, call: "compress(model, options)", first: ["model"] },
  { operation: trainOperation, call: "train(options)", first: [] },
  { operation: fineTuneOperation, call: "fineTune(model, options)", first: ["model"] },
  { operation: distillOperation, call: "distill(teachers, options)", first: ["teachers"] },
  { operation: evaluateOperation, call: "evaluate(model, options)", first: ["model"] },
  { operation: scoreOperation, call: "score(gold, system, options)", first: ["gold", "system"] },
  { operation: benchmarkOperation, call: "benchmark(models, options)", first: ["model", "compare"] },
  { operation: tagOperation, call: "tag(path, write, options)", first: [] },
  { operation: tagCorpusOperation, call: "tagCorpus(inputs, options)", first: [] },
  { operation: queueCorpusOperation, call: "queueCorpus(inputs, options)", first: [] },
  { operation: workOperation, call: "work(options)", first: [] },
  { operation: inspectOperation, call: "inspect(model, options)", first: ["model"] },
  { operation: verifyOperation, call: "verify(model, options)", first: ["model"] },
  { operation: exportOperation, call: "exportModel(models, options)", first: ["models"] },
  { operation: importOperation, call: "importModel(folder, options)", first: [] },
  { operation: pipelineOperation, call: "runRecipe(path, options)", first: [] },
  { operation: sweepOperation, call: "sweep(path, options)", first: [] },
];
// The command is two operations of the page in one.
const parts = new Set([tagCommandOperation]);
const unlisted = Object.values(operations).filter(
  (one) => one.summary !== undefined && !parts.has(one) && !calls.some(({ operation }) => operation === one),
);
if (unlisted.length > 0) {
  throw new Error(`options: expected a call for ${unlisted.map(({ name }) => name).join(", ")}, got none`);
}

const code = (text) => `\`${text.replaceAll("|", "\\|")}\``;
const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

/** What a program gives for an option. */
function takes(option) {
  switch (option.kind) {
    case "flag":
      return "`true` or `false`";
    case "value":
      return valueOf(option);
    case "list":
      return `a list, each ${valueOf(option)}`;
    case "text":
      return "a text";
    case "texts":
      return "a text, or a list of texts";
    case "model":
      return "a model";
    case "models":
      return "a list of models";
    default:
      throw new Error(`${option.flag}: kind: expected one that the page knows, got ${option.kind}`);
  }
}

/** Choices by their names, everything else as the schema says it when it refuses a value that nothing takes. */
function valueOf({ flag, value }) {
  if (value.choices !== undefined) return value.choices.map((choice) => code(quoted(choice))).join(", ");
  const result = readValue(value, "?");
  if ("expected" in result) return result.expected.replace(/^expected /, "");
  return /<(?:file|dir|path)\b/.test(flag) ? "a path" : "a string";
}

const quoted = (choice) => (typeof choice === "string" ? JSON.stringify(choice) : String(choice));

function defaultOf({ option }) {
  if (option.required) return "required";
  if (option.otherwise !== undefined) return cell(option.otherwise);
  return option.fallback === undefined ? "" : code(quoted(option.fallback));
}

function flagsOf({ option }) {
  if (option.negative === undefined) return code(option.flag);
  return option.onlyNegative ? code(option.negative[0]) : `${code(option.flag)}, ${code(option.negative[0])}`;
}

const isCommon = ({ option }) => Object.values(running).some(({ flag }) => flag === option.flag);

const stepOf = (operation) => stepKinds.find(({ schema }) => schema.name === operation.name)?.schema;

/** Keys that a recipe's step has and its operation has not, as a sentence. */
function ownKeys(operation) {
  const known = new Set(namedOptions(operation).map(({ option }) => longName(option.flag)));
  const own = (stepOf(operation)?.options ?? []).map(({ name }) => name).filter((name) => !known.has(name));
  return own.length === 0 ? [] : [`Keys of its own as a step of a recipe: ${own.map(code).join(", ")}.`];
}

/** The table of an operation; a column of recipe keys if it is a step. */
function table(operation, first) {
  const step = stepOf(operation);
  const keys = new Set(step?.options.map(({ name }) => name));
  const header = [
    "option",
    "flag",
    ...(step === undefined ? [] : ["recipe key"]),
    "takes",
    "default",
    "meaning",
  ];
  const rows = namedOptions(operation)
    .filter((named) => !isCommon(named))
    .map((named) => {
      const { path, option } = named;
      const key = longName(option.flag);
      const name = first.includes(path[0]) ? "(argument)" : code(path.join("."));
      const recipe = step === undefined ? [] : [keys.has(key) ? code(key) : ""];
      return [name, flagsOf(named), ...recipe, takes(option), defaultOf(named), cell(option.help)];
    });
  return [header, header.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function section({ operation, call, first }) {
  const { name, summary, operand, plans } = operation;
  const lines = [
    `## ${name}`,
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    `${code(call)} in a program, ${code(`nasty ${name}`)} on the command line.`,
    ...(operand === undefined
      ? []
      : [`On the command line ${code(operand.name)} stands without a flag:\n${operand.help}.`]),
    ...(plans === undefined
      ? []
      : [`${code(`${call.split("(")[0]}.plan(…)`)} and ${code("--dry-run")}: ${plans}.`]),
    ...ownKeys(operation),
    table(operation, first),
  ];
  return lines.join("\n\n");
}

function makePage() {
  const intro = `# Options

Each option of each operation: its name in a program (\`@nasty/workflow\`), its flag on the command line, and its key in
a recipe where the operation is a step of recipes. All three are the same option with the same default. This page is
written by \`node scripts/options-page.mjs\` from the schemas that \`@nasty/workflow/operations\` exports.

A name with a dot belongs to a group: \`gate.maxLoss\` is \`gate: { maxLoss }\` in a program. A text is a path or
\`text(path, { sentences })\`, and on the command line a file or \`FILE:N\`. A model is a path, an open model, or the
result of an operation that wrote one. In a recipe a text is the name of one in its data section.

Every operation also takes these, which a recipe sets for all its steps:

| option | flag | takes | default | meaning |
| --- | --- | --- | --- | --- |
${Object.entries(running)
  .map(([name, option]) => [code(name), code(option.flag), takes(option), defaultOf({ option }), option.help])
  .map((row) => `| ${row.join(" | ")} |`)
  .join("\n")}

A program also gives \`onProgress\`, \`onNote\` and \`signal\`, the command line \`--json\`, \`--quiet\` and \`--debug\`.
`;
  return `${[intro.trimEnd(), ...calls.map(section)].join("\n\n")}\n`;
}

const lines = makePage().split("\n");
const made = narrowed(lines, markdownParagraphs(lines)).join("\n");
if (process.argv.includes("--check")) {
  if (readFileSync(page, "utf8") !== made) {
    process.stderr.write(
      `${page}: expected what the schemas make, got another page; run node scripts/options-page.mjs\n`,
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(page, made);
}
