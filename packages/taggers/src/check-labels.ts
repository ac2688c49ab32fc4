import { TaggerError } from "./tagger-error.js";

// C0 and C1 controls, and the two line ends of Unicode.
const unprintable = /[\p{Cc}\u2028\u2029]/u;

/**
 * Refuses labels that no line of columns or CoNLL-U can hold: empty ones, and those with control characters such as tab
 * and line break.
 *
 * @param operation what takes them, for messages
 * @throws TaggerError `labels` with the label's number, from 0
 * @example
 * ```ts
 * checkLabels(["O", "B-PER"], "openTagger: config.json");
 * ```
 */
export function checkLabels(labels: readonly string[], operation: string): void {
  const at = labels.findIndex((label) => label.trim() === "" || unprintable.test(label));
  if (at < 0) return;
  const label = labels[at] as string;
  const got = label.trim() === "" && !unprintable.test(label) ? "an empty one" : escaped(label);
  throw new TaggerError(
    "labels",
    `${operation}: label ${at}: expected text without control characters, got ${got}; give it another name`,
    { name: label },
  );
}

/** As JSON, with the controls that JSON leaves as they are. */
function escaped(label: string): string {
  return JSON.stringify(label).replace(
    /[\u007F-\u009F\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
