import { InputError, UsageError } from "../exit-codes.js";
import { readWords } from "./corpus.js";

/** A file of typical text and how many sentences of it are wanted. */
export interface CalibrationSource {
  readonly path: string;
  readonly count?: number;
}

/** Reads `file` or `file:n`; a colon that is not followed by digits belongs to the path. */
export function parseSource(text: string): CalibrationSource {
  const match = /^(.+):(\d+)$/.exec(text);
  if (match === null) return { path: text };
  const count = Number(match[2]);
  if (count < 1) throw new UsageError(`--calibration ${text}: count: expected 1 or more, got ${match[2]}`);
  return { path: match[1]!, count };
}

/**
 * Sentences of all sources, each source's in file order: its own count, or an equal share of what the limit leaves.
 *
 * @throws InputError when a source has none, or fewer than its count asks for.
 */
export async function collectSources(
  sources: readonly CalibrationSource[],
  limit: number,
): Promise<readonly (readonly string[])[]> {
  const open = sources.filter(({ count }) => count === undefined).length;
  const fixed = sources.reduce((sum, { count }) => sum + (count ?? 0), 0);
  const shareOfRest = open === 0 ? 0 : Math.max(1, Math.floor((limit - fixed) / open));
  const sentences: (readonly string[])[] = [];
  for (const { path, count } of sources) {
    const wanted = count ?? shareOfRest;
    const before = sentences.length;
    for await (const words of readWords(path)) {
      if (words.length > 0) sentences.push(words);
      if (sentences.length - before >= wanted) break;
    }
    const got = sentences.length - before;
    if (got === 0)
      throw new InputError(`quantize: calibration ${path}: sentences: expected at least 1, got 0`);
    if (count !== undefined && got < count) {
      throw new InputError(
        `quantize: calibration ${path}: sentences: expected ${count}, got ${got}; ask for fewer (${path}:${got}) or give a longer file`,
      );
    }
  }
  return sentences;
}
