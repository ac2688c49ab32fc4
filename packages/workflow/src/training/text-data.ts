import type { LabelledText, TextVector } from "@nasty/tagger-training";
import type { TextSample } from "@nasty/taggers/texts";
import { InputError } from "../errors.js";
import { type LabelledText as ReadText, readTexts } from "../kinds/text-samples.js";
import { nameOf } from "../texts/text-form.js";

/**
 * Texts of a file (or `-`) with one label each, streamed: what a classifier learns from.
 *
 * @throws InputError naming file and line: for a text without a label, or with several
 */
export async function* labelledTexts(path: string): AsyncGenerator<LabelledText> {
  for await (const { text, pair, label, place } of textsOf(path)) {
    if (label === undefined || label === "" || Array.isArray(label)) {
      const got = Array.isArray(label) ? JSON.stringify(label).slice(0, 40) : "none";
      throw new InputError(
        `read ${nameOf(path)}: ${place}: label: expected one label, got ${got}; give JSON Lines of {"text": …, "label": …}, or a .tsv file`,
      );
    }
    yield { text, pair, label: String(label as string | number).trim(), place };
  }
}

/**
 * Texts of a file (or `-`) with a vector each, streamed: what an encoder learns from.
 *
 * @throws InputError naming file and line: for a text without a vector
 */
export async function* vectorTexts(path: string): AsyncGenerator<TextVector> {
  for await (const { text, vector, place } of textsOf(path)) {
    if (vector === undefined) {
      throw new InputError(
        `read ${nameOf(path)}: ${place}: vector: expected a list of numbers, got none; give JSON Lines of {"text": …, "vector": […]}`,
      );
    }
    yield { text, vector, place };
  }
}

/** So many are enough to see whether a file computes what it should. */
const mostFirst = 8;

/** The first texts of the first source that is a file: standard input is read but once. */
export async function firstTexts(paths: readonly (string | undefined)[]): Promise<readonly TextSample[]> {
  const path = paths.find((one) => one !== undefined && one !== "-");
  const found: TextSample[] = [];
  if (path === undefined) return found;
  for await (const { text, pair } of readTexts(path)) if (found.push({ text, pair }) === mostFirst) break;
  return found;
}

/** @throws InputError for a file without a text */
async function* textsOf(path: string): AsyncGenerator<ReadText> {
  let count = 0;
  for await (const text of readTexts(path)) {
    count += 1;
    yield text;
  }
  if (count === 0) throw new InputError(`read ${nameOf(path)}: texts: expected at least 1, got 0`);
}
