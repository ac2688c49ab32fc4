import { PLAIN_CONTRACTIONS } from "./lexicon.js";

const NEGATION = /n['’´`]t$/iu;
const CLITIC = /['’´`](?:s|m|d|ll|re|ve)$/iu;
const DOUBLE = /^(?:d|would|could|should|might|must)n?['’]t['’]ve$/iu;
const POSSESSIVE_PLURAL = /s['’]$/iu;
const NOT_CONTRACTED = /^(?:\d+['’]s|ma['’]am|o['’]clock|y['’]all|['’].*)$/iu;

/**
 * Where the words of a contraction begin inside its form, or undefined if the token is one word: `don't` has words at 0
 * and 2 (`do` `n't`), `Sam's` at 0 and 3, `cannot` at 0 and 3.
 *
 * The form's words joined again are the form. Decades (`60's`) and words that only look contracted (`o'clock`) are one
 * word. Source: the multiword tokens of UD English-EWT.
 */
export function contractionCuts(form: string): readonly number[] | undefined {
  if (NOT_CONTRACTED.test(form)) return undefined;
  const plain = PLAIN_CONTRACTIONS.get(form.toLowerCase());
  // A contraction without its apostrophe in capitals or with only one letter before the cut ("IM") is some
  // abbreviation.
  if (plain !== undefined && !(plain === 1 && form === form.toUpperCase())) return [0, plain];
  if (DOUBLE.test(form)) {
    const have = form.length - 3;
    return [0, have - 3, have];
  }
  if (NEGATION.test(form) && form.length > 3) return [0, form.length - 3];
  const clitic = CLITIC.exec(form);
  if (clitic !== null && clitic.index > 0) {
    const before = contractionCuts(form.slice(0, clitic.index));
    return before === undefined ? [0, clitic.index] : [...before, clitic.index];
  }
  if (POSSESSIVE_PLURAL.test(form) && form.length > 2) return [0, form.length - 1];
  return undefined;
}
