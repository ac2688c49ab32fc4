import { TaggerError } from "../../tagger-error.js";
import { danish } from "./danish.js";
import { english } from "./english.js";
import type { LanguageSettings } from "./language-settings.js";
import { neutral } from "./neutral.js";

/** A language by its BCP 47 tag (`da`, `en-GB`), or what must be known of one. */
export type Language = string | LanguageSettings;

/** The language of texts and models that name none. */
export const defaultLanguage = "en";

const known: ReadonlyMap<string, LanguageSettings> = new Map([
  ["en", english],
  ["da", danish],
]);

/** Whether a text is a BCP 47 tag. */
export function isLanguageTag(tag: string): boolean {
  try {
    return new Intl.Locale(tag).language !== "";
  } catch {
    return false;
  }
}

/**
 * A language's tag in its usual spelling.
 *
 * @param where what asks, for messages
 * @throws TaggerError `option` for what is no BCP 47 tag
 */
export function languageTag(tag: string, where: string): string {
  if (isLanguageTag(tag)) return new Intl.Locale(tag).toString();
  throw new TaggerError(
    "option",
    `${where}: language: expected a BCP 47 tag such as da or en-GB, got ${JSON.stringify(tag)}`,
    { name: "language" },
  );
}

/**
 * The settings of a language, and a tag for what Unicode knows of it. Languages without settings of their own have
 * neutral ones.
 *
 * @throws TaggerError `option` for what is no BCP 47 tag
 */
export function findLanguage(language: Language): {
  readonly settings: LanguageSettings;
  readonly locale: string;
} {
  if (typeof language !== "string") return { settings: language, locale: defaultLanguage };
  const locale = languageTag(language, "segmentText");
  return { settings: known.get(new Intl.Locale(locale).language) ?? neutral, locale };
}
