import { TaggerError } from "../tagger-error.js";

/** More ids than any vocabulary has; a single large id would otherwise fill the memory. */
const MOST_IDS = 2 ** 24;

/** Usual names of the id of unknown words and of padding, in the order in which they are looked for. */
const unknownNames = ["<UNK>", "[UNK]", "<unk>", "UNK", "<OOV>", "<oov>", "OOV"];
const paddingNames = ["<PAD>", "[PAD]", "<pad>", "PAD"];

/**
 * Words by id, of a word index as JavaScript and Python programs keep it: a list (the place is the id), or an object
 * from word to id.
 *
 * @param json parsed JSON
 * @param file its name, for messages
 * @returns an empty text where an id is no word's
 * @throws TaggerError `word-index` with the word: anything but a list of texts or an object of ids, an id that two
 *   words have
 * @example
 * ```ts
 * readWordIndex({ the: 1, cat: 2 }, "words.json"); // ["", "the", "cat"]
 * ```
 */
export function readWordIndex(json: unknown, file: string): string[] {
  const words: string[] = [];
  for (const [word, id] of entriesOf(json, file, "words")) {
    const taken = words[id];
    // A list may repeat a word, or leave places empty; the first of equals is looked up.
    if (taken !== undefined && taken !== "") {
      throw refuse(
        file,
        `id ${id}`,
        "one word",
        `${JSON.stringify(taken)} and ${JSON.stringify(word)}`,
        word,
      );
    }
    words[id] = word;
  }
  if (words.length === 0) throw refuse(file, "words", "at least 1", "0");
  return Array.from(words, (word) => word ?? "");
}

/**
 * Labels by id, of a list or an object from label to id.
 *
 * @throws TaggerError `labels`: as {@link readWordIndex}, and ids without a label
 */
export function readLabelIndex(json: unknown, file: string): string[] {
  const labels: string[] = [];
  for (const [label, id] of entriesOf(json, file, "labels")) {
    if (labels[id] !== undefined || label === "") {
      throw refuse(file, `id ${id}`, "one label", label === "" ? "an empty one" : "two", label, "labels");
    }
    labels[id] = label;
  }
  const missing = Array.from(labels).indexOf(undefined as never);
  if (labels.length === 0 || missing >= 0) {
    const got = labels.length === 0 ? "none" : `none for ${missing}`;
    throw refuse(
      file,
      "labels",
      `one for each id from 0 to ${Math.max(0, labels.length - 1)}`,
      got,
      undefined,
      "labels",
    );
  }
  const repeated = labels.find((label, i) => labels.indexOf(label) !== i);
  if (repeated !== undefined)
    throw refuse(file, "labels", "each once", `${JSON.stringify(repeated)} twice`, repeated, "labels");
  return labels;
}

/** The id that a word index itself names for unknown words or for padding. */
export function namedId(words: readonly string[], what: "unknown" | "padding"): number | undefined {
  const names = what === "unknown" ? unknownNames : paddingNames;
  return names.map((name) => words.indexOf(name)).find((id) => id >= 0);
}

function entriesOf(json: unknown, file: string, what: "words" | "labels"): [string, number][] {
  const code = what === "words" ? "word-index" : "labels";
  if (Array.isArray(json)) {
    return json.map((text: unknown, id): [string, number] => {
      if (typeof text === "string") return [text, id];
      throw refuse(file, `place ${id}`, "a text", JSON.stringify(text).slice(0, 40), undefined, code);
    });
  }
  if (typeof json !== "object" || json === null) {
    throw refuse(
      file,
      "content",
      `a list of ${what}, or an object with an id for each`,
      typeof json,
      undefined,
      code,
    );
  }
  return Object.entries(json).map(([text, id]: [string, unknown]): [string, number] => {
    if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0 && id < MOST_IDS) return [text, id];
    const got = (JSON.stringify(id) ?? "nothing").slice(0, 40);
    throw refuse(file, JSON.stringify(text), `an id from 0 to ${MOST_IDS - 1}`, got, text, code);
  });
}

function refuse(
  file: string,
  where: string,
  expected: string,
  got: string,
  name?: string,
  code: "word-index" | "labels" = "word-index",
): TaggerError {
  return new TaggerError(code, `read ${file}: ${where}: expected ${expected}, got ${got}`, {
    path: file,
    ...(name !== undefined && { name }),
  });
}
