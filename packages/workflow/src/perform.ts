import type { GivenOptions, Options, SettingsOf } from "./schema/option.js";
import { isSharedModel, type SharedModel, withOpenModels } from "./models/open-models.js";
import type { Operation } from "./schema/operation.js";
import { type Reporter, reporterOf, type RunOptions } from "./reporter.js";
import { readingFor, withReading } from "./texts/reading.js";

/** What a program gives to an operation: its options, and who hears of its progress. */
export type Given<O extends Options> = GivenOptions<O> & RunOptions;

/** The same without what the operation takes as its first argument. */
export type GivenBeside<O extends Options, First extends string> = Omit<Given<O>, First>;

/** What carries an operation out, from checked settings. */
export type Work<O extends Options, R> = (settings: SettingsOf<O>, reporter: Reporter) => Promise<R>;

/**
 * Carries out an operation for a program: options checked by its schema, texts read in a reading of its own.
 *
 * @throws UsageError for options that are unknown, wrong or contradict each other; the signal's reason once it is
 *   aborted
 */
export async function perform<O extends Options, R>(
  operation: Operation<O>,
  { onProgress, onNote, signal, ...options }: RunOptions & Readonly<Record<string, unknown>>,
  work: Work<O, R>,
): Promise<R> {
  signal?.throwIfAborted();
  // A front that reads its options itself does without.
  const { settingsOf } = await import("./schema/settings-of.js");
  const settings = settingsOf(operation, options);
  const reporter = reporterOf({ onProgress, onNote, signal });
  const reading = readingFor(settings);
  const models = openModelsIn(Object.values(options));
  const result = await withOpenModels(models, () => withReading(reading, () => work(settings, reporter)));
  for (const doubt of reading.takeDoubts()) reporter.note(doubt);
  return result;
}

/** The open models among what was given, those in lists too. */
export function openModelsIn(given: readonly unknown[]): readonly SharedModel[] {
  return given.flat().filter(isSharedModel);
}
