import { stratifiedSample } from "@nasty/calibration";
import { InputError, UsageError } from "../exit-codes.js";
import { nameOf } from "./text-form.js";
import { readWords } from "./unlabelled-text.js";

/** A file of typical text and how many sentences of it are wanted. */
export interface CalibrationSource {
  readonly path: string;
  readonly count?: number;
}

/** Sentences used in all when nothing says how many. */
export const defaultLimit = 500;

/** Reads `file` or `file:n`; a colon that is not followed by digits belongs to the path. */
export function parseSource(text: string): CalibrationSource {
  const match = /^(.+):(\d+)$/.exec(text);
  if (match === null) return { path: text };
  const count = Number(match[2]);
  if (count < 1) {
    throw new UsageError(`quantize: --calibration ${text}: count: expected 1 or more, got ${match[2]}`);
  }
  return { path: match[1]!, count };
}

/** What was read, and what was asked for beyond it. */
export interface CalibrationText {
  readonly sentences: readonly (readonly string[])[];
  readonly warnings: readonly string[];
}

/**
 * Sentences of all sources, each source's in file order: its own count, or an equal share of what the limit leaves, drawn so that
 * lengths are as frequent as in the whole file.
 *
 * @param limit sentences in all from the sources without a count; {@link defaultLimit} if undefined, and then fewer are no remark
 * @throws InputError when a source has none, or fewer than its count asks for
 */
export async function collectSources(
  sources: readonly CalibrationSource[],
  limit: number | undefined,
  seed = 1,
): Promise<CalibrationText> {
  const open = sources.filter(({ count }) => count === undefined).length;
  const fixed = sources.reduce((sum, { count }) => sum + (count ?? 0), 0);
  const shareOfRest = Math.max(1, Math.floor(((limit ?? defaultLimit) - fixed) / Math.max(1, open)));
  const sentences: (readonly string[])[] = [];
  for (const source of sources) {
    sentences.push(...(await sentencesOf(source, source.count ?? shareOfRest, seed)));
  }
  const isShort = limit !== undefined && open > 0 && sentences.length < limit;
  return {
    sentences,
    warnings: isShort
      ? [`calibrated on ${sentences.length} sentences, fewer than --limit ${limit}: the files hold no more`]
      : [],
  };
}

async function* nonEmpty(path: string): AsyncGenerator<readonly string[]> {
  for await (const words of readWords(path)) if (words.length > 0) yield words;
}

async function sentencesOf(
  source: CalibrationSource,
  wanted: number,
  seed: number,
): Promise<(readonly string[])[]> {
  const { path, count } = source;
  const name = nameOf(path);
  const sentences = await stratifiedSample(nonEmpty(path), {
    count: wanted,
    lengthOf: (words) => words.length,
    seed,
  });
  const got = sentences.length;
  if (got === 0) {
    throw new InputError(
      `quantize: --calibration ${name}: sentences: expected at least 1, got 0; give text with 100 to 1000 typical sentences`,
    );
  }
  if (count !== undefined && got < count) {
    throw new InputError(
      `quantize: --calibration ${name}: sentences: expected ${count}, got ${got}; ask for fewer (${path}:${got}) or give a longer file`,
    );
  }
  return sentences;
}
