import { readFile } from "node:fs/promises";
import type { ImportedModel } from "@nasty/engine-tfjs/layers-model";
import {
  checkLabels,
  labellingOf,
  namedId,
  type Padding,
  readLabelIndex,
  readWordIndex,
  type SequenceSettings,
} from "@nasty/taggers";
import { InputError, UsageError } from "../errors.js";
import type { importOperation } from "../operations/files.js";
import type { SettingsOf } from "../schema/option.js";

/** What the user says about the words and labels of an imported model. */
type SequenceOptions = Omit<
  SettingsOf<typeof importOperation.options>,
  "from" | "output" | "seed" | "threads"
>;

const needed = ["task", "words", "labels"] as const;
const more = ["scheme", "unknownId", "paddingId", "paddingSide", "lowercase", "maxLength"] as const;

/**
 * Whether the options make a tagger of the model: the three that a tagger needs, or none.
 *
 * @throws UsageError for some of them, or for others without them
 */
export function wantsTagger(options: SequenceOptions): boolean {
  const given = needed.filter((key) => options[key] !== undefined);
  if (given.length === needed.length) return true;
  const [first = more.find((key) => options[key] !== undefined)] = given;
  if (first === undefined) return false;
  const missing = needed.filter((key) => options[key] === undefined).map((key) => `--${key}`);
  throw new UsageError(
    `import: ${flagOf(first)}: expected ${missing.join(" and ")} with it (a tagger needs task, words and labels), got none`,
  );
}

const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * The tagger that the options describe.
 *
 * @throws UsageError for an option that the model needs or has no use for; InputError, TaggerError `word-index`,
 *   `labels` for files that do not fit the model
 */
export async function sequenceSettings(
  options: SequenceOptions,
  imported: ImportedModel,
): Promise<SequenceSettings> {
  const {
    task = "pos",
    words: wordsFile = "",
    labels: labelsFile = "",
    lowercase = false,
    maxLength,
  } = options;
  const words = readWordIndex(await readJson(wordsFile), wordsFile);
  const labels = readLabelIndex(await readJson(labelsFile), labelsFile);
  const unknownId = options.unknownId ?? namedId(words, "unknown");
  if (unknownId === undefined) {
    throw new UsageError(
      `import: --unknown-id: expected the id of words that are not in ${wordsFile} (it has no <UNK>, [UNK] or <OOV>), got none`,
    );
  }
  const paddingId = options.paddingId ?? namedId(words, "padding") ?? 0;
  if (imported.inputs.some(({ masksZero }) => masksZero)) {
    checkMaskedId({ wordsFile, first: words[0] ?? "", unknownId, paddingId });
  }
  const scores = imported.outputs.find(({ shape }) => shape.length === 3 && shape[2] === labels.length);
  checkLabels(labels, `import: ${labelsFile}`);
  const labelling = labellingOf(labels, { task, scheme: options.scheme });
  const scheme = options.scheme ?? labelling.scheme;
  return {
    kind: "sequence",
    task,
    labels,
    ...(scheme === null ? {} : { scheme }),
    words,
    lowercase,
    unknownId,
    paddingId,
    padding: paddingOf(options, imported),
    probabilities: scores?.activation === "softmax",
    ...(maxLength !== undefined && { maxLength }),
  };
}

/**
 * A model with `mask_zero` skips the id 0 wherever it stands: a word with that id would get the label of its neighbour.
 */
function checkMaskedId(given: {
  readonly wordsFile: string;
  readonly first: string;
  readonly unknownId: number;
  readonly paddingId: number;
}): void {
  const { wordsFile, first, unknownId, paddingId } = given;
  if (paddingId !== 0) {
    throw new UsageError(`import: --padding-id: expected 0 (the model masks it), got ${paddingId}`);
  }
  if (unknownId === 0) {
    throw new UsageError(
      "import: --unknown-id: expected another id than 0 (the model masks it, and would skip unknown words), got 0",
    );
  }
  if (first !== "" && namedId([first], "padding") === undefined) {
    throw new InputError(
      `import: ${wordsFile}: id 0: expected no word (the model masks it), got ${JSON.stringify(first)}; leave it out, or name it <PAD>`,
    );
  }
}

function paddingOf(
  { paddingSide, maxLength }: SequenceOptions,
  { inputs, ignoresPadding }: ImportedModel,
): Padding {
  if (ignoresPadding) {
    if (paddingSide === undefined) return "masked";
    throw new UsageError("import: --padding-side: expected none (the model ignores padding), got one");
  }
  const length = inputs[0]?.shape[1];
  const isFixed = typeof length === "number";
  if (isFixed && paddingSide === undefined) {
    throw new UsageError(
      `import: --padding-side: expected left or right (the model takes rows of ${length} ids and reads what fills them), got none`,
    );
  }
  if (!isFixed && paddingSide !== undefined && maxLength === undefined) {
    throw new UsageError(
      "import: --padding-side: expected --max-length with it (the model takes rows of any length), got none",
    );
  }
  return paddingSide ?? "never";
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8");
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (cause) {
    const got = text.trim() === "" ? "an empty file" : (cause as Error).message;
    throw new InputError(`import: ${path}: content: expected JSON, got ${got}; correct the file`, { cause });
  }
}
