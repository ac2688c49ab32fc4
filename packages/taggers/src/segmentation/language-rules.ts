import { type ContractionCutter, makeContractionCutter } from "./contractions.js";
import { defaultLanguage, findLanguage, type Language } from "./languages/find-language.js";
import { makeSentenceCutter, type SentenceCutter } from "./sentences.js";
import { makeTokenCutter, type TokenCutter } from "./tokens.js";

/** How texts of a language are cut. */
export interface LanguageRules {
  readonly sentencesOf: SentenceCutter;
  readonly tokensOf: TokenCutter;
  readonly contractionCuts: ContractionCutter;
}

const made = new Map<string, LanguageRules>();
const madeOfSettings = new WeakMap<object, LanguageRules>();

/**
 * The rules of a language, made from its settings when they are first asked for and kept.
 *
 * @param language English unless it is given; for a tag without settings of its own the neutral ones.
 * @throws TaggerError `option` for what is no BCP 47 tag.
 */
export function rulesOf(language: Language = defaultLanguage): LanguageRules {
  if (typeof language !== "string") return kept(madeOfSettings, language, language);
  return kept(made, language, language);
}

function kept<Key>(
  all: { get(key: Key): LanguageRules | undefined; set(key: Key, rules: LanguageRules): unknown },
  key: Key,
  language: Language,
): LanguageRules {
  let rules = all.get(key);
  if (rules === undefined) all.set(key, (rules = makeRules(language)));
  return rules;
}

function makeRules(language: Language): LanguageRules {
  const { settings, locale } = findLanguage(language);
  const sentences = whenAsked(() => makeSentenceCutter(settings, locale));
  const tokens = whenAsked(() => makeTokenCutter(settings));
  const contractions = whenAsked(() => makeContractionCutter(settings));
  return {
    sentencesOf: (piece) => sentences()(piece),
    tokensOf: (text, start, end) => tokens()(text, start, end),
    contractionCuts: (form) => contractions()(form),
  };
}

/** What is made when it is first asked for: sentences that are known need no rules for them. */
function whenAsked<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= make());
}
