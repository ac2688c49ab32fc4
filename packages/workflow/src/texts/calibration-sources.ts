import { realpath } from "node:fs/promises";
import { stratifiedSample } from "@nasty/calibration";
import { InputError, UsageError } from "../errors.js";
import type { ModelKind, Sample } from "../kinds/kind.js";
import { makeLineEnds } from "./line-ends.js";
import type { PlainTextOptions } from "./plain-text.js";
import type { Counted } from "./spread.js";
import { nameOf } from "./text-form.js";

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
  /** Of the kind that they were read for, as often as wanted. */
  readonly samples: Counted<Sample>;
  readonly warnings: readonly string[];
  /** What may have been meant otherwise. */
  readonly hints: readonly string[];
}

export interface CollectOptions {
  /**
   * Sentences in all from the sources without a count; {@link defaultLimit} if undefined, and then fewer are no remark.
   */
  readonly limit: number | undefined;
  readonly seed?: number;
  /** Whether each line of plain text is one sentence. */
  readonly onePerLine?: boolean | undefined;
}

/**
 * Sentences of all sources, each source's in file order: its own count, or an equal share of what the limit leaves,
 * drawn so that lengths are as frequent as in the whole file.
 *
 * @throws InputError when a source has none, or fewer than its count asks for
 */
export async function collectSources(
  kind: ModelKind,
  sources: readonly CalibrationSource[],
  { limit, seed = 1, onePerLine }: CollectOptions,
): Promise<CalibrationText> {
  const open = sources.filter(({ count }) => count === undefined).length;
  const fixed = sources.reduce((sum, { count }) => sum + (count ?? 0), 0);
  const shareOfRest = Math.max(1, Math.floor(((limit ?? defaultLimit) - fixed) / Math.max(1, open)));
  const kept: unknown[] = [];
  const hints: string[] = [];
  for (const source of sources) {
    const lineEnds = onePerLine === true ? undefined : makeLineEnds();
    const read = heldSamples(kind, source.path, { onePerLine, lineEnds });
    const wanted = source.count ?? shareOfRest;
    for (const held of await sampleOf(kind, read, source, { wanted, seed })) kept.push(held);
    const hint = lineEnds?.hint(nameOf(source.path));
    if (hint !== undefined) hints.push(hint);
  }
  const samples = releasedSamples(kind, kept);
  const isShort = limit !== undefined && open > 0 && samples.length < limit;
  return {
    samples,
    hints,
    warnings: [
      ...(await repeatedSources(sources)),
      ...(isShort
        ? [
            `calibrated on ${samples.length} ${kind.noun}, fewer than --limit ${limit}: the files hold no more`,
          ]
        : []),
    ],
  };
}

/** What to say of a file that is given more than once, under whatever name. */
async function repeatedSources(sources: readonly CalibrationSource[]): Promise<string[]> {
  const counts = new Map<string, { readonly path: string; readonly count: number }>();
  for (const { path } of sources) {
    if (path === "-") continue;
    const real = await realpath(path);
    counts.set(real, { path: nameOf(path), count: (counts.get(real)?.count ?? 0) + 1 });
  }
  return [...counts.values()]
    .filter(({ count }) => count > 1)
    .map(
      ({ path, count }) => `calibration text ${path} is given ${count} times: its sentences count as often`,
    );
}

/** Samples as their kind keeps them: thousands are, until the whole file was seen. */
async function* heldSamples(
  kind: ModelKind,
  path: string,
  options: PlainTextOptions,
): AsyncGenerator<unknown> {
  for await (const sample of kind.read(path, options)) yield kind.held.of(sample);
}

const releasedSamples = ({ held }: ModelKind, kept: readonly unknown[]): Counted<Sample> => ({
  length: kept.length,
  *[Symbol.iterator]() {
    for (const one of kept) yield held.sample(one);
  },
});

async function sampleOf(
  { noun, held }: ModelKind,
  read: AsyncIterable<unknown>,
  { path, count }: CalibrationSource,
  { wanted, seed }: { readonly wanted: number; readonly seed: number },
): Promise<unknown[]> {
  const name = nameOf(path);
  const samples = await stratifiedSample(read, { count: wanted, lengthOf: (one) => held.sizeOf(one), seed });
  const got = samples.length;
  if (got === 0) {
    throw new InputError(
      `quantize: --calibration ${name}: ${noun}: expected at least 1, got 0; give text with 100 to 1000 typical sentences`,
    );
  }
  if (count !== undefined && got < count) {
    throw new InputError(
      `quantize: --calibration ${name}: ${noun}: expected ${count}, got ${got}; ask for fewer (${path}:${got}) or give a longer file`,
    );
  }
  return samples;
}
