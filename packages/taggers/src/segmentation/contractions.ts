import { alternatives } from "./languages/alternatives.js";
import type { LanguageSettings } from "./languages/language-settings.js";

/** Where the words of a contraction begin inside its form, or undefined if the token is one word. */
export type ContractionCutter = (form: string) => readonly number[] | undefined;

/** The contractions of a language. */
export function makeContractionCutter({
  contractions,
  ordinals,
  apostropheBehind,
}: LanguageSettings): ContractionCutter {
  if (contractions === undefined) return () => undefined;
  const { clitics, endings, apostropheIsWord, plain, wholeWords } = contractions;
  const plainCuts = new Map(plain.map((entry) => [entry.replace("|", ""), entry.indexOf("|")]));
  const withApostrophe = (words: readonly string[], apostrophe: string): string =>
    alternatives(words).replaceAll("'", apostrophe);
  // A decade ("60's") is one word, as is all that begins with an apostrophe.
  const whole = new RegExp(
    `^(?:\\d+['’]${alternatives(ordinals.behindApostrophe)}|${withApostrophe(wholeWords, "['’]")}|['’].*)$`,
    "iu",
  );
  const ending = new RegExp(`(?<=.)${withApostrophe(endings, "['’´`]")}$`, "isu");
  const clitic = new RegExp(`(?<=.)['’´\`]${alternatives(clitics)}$`, "isu");
  const genitive = new RegExp(`(?<=.)(?<=${alternatives(apostropheBehind)})['’]$`, "isu");

  return function cutsOf(form): readonly number[] | undefined {
    if (whole.test(form)) return undefined;
    const cut = plainCuts.get(form.toLowerCase());
    // A contraction without its apostrophe in capitals or with only one letter before the cut ("IM") is some
    // abbreviation.
    if (cut !== undefined && !(cut === 1 && form === form.toUpperCase())) return [0, cut];
    const end = ending.exec(form);
    if (end !== null) return [0, end.index];
    const last = clitic.exec(form);
    if (last !== null) {
      const before = cutsOf(form.slice(0, last.index));
      return before === undefined ? [0, last.index] : [...before, last.index];
    }
    return apostropheIsWord && form.length > 2 && genitive.test(form) ? [0, form.length - 1] : undefined;
  };
}
