import { rulesOf } from "./language-rules.js";
import type { Language } from "./languages/find-language.js";
import { type SentenceOptions, sentencesOf } from "./text-pieces.js";
import { type Span, splitUnspaced } from "./tokens.js";

/** A syntactic word of a text; `text.slice(start, end) === form`. */
export interface TextWord extends Span {
  readonly form: string;
}

/** A surface token that stands for several words: `don't` for `do` and `n't`. */
export interface MultiwordToken extends TextWord {
  /** Index of its first word in the sentence, from 0, and of the word after its last. */
  readonly firstWord: number;
  readonly wordsEnd: number;
}

/** A sentence of a text; offsets count UTF-16 units of the whole text. */
export interface TextSentence extends Span {
  /** The sentence as it stands in the text. */
  readonly text: string;
  readonly words: readonly TextWord[];
  readonly multiwordTokens: readonly MultiwordToken[];
}

/**
 * Cuts a text into sentences and words: English by the conventions of UD English-EWT, Danish by those of UD Danish-DDT,
 * other languages by neutral rules or by settings that are given.
 *
 * @param text any text; offsets in the result count its UTF-16 units, so
 *   `text.slice(word.start, word.end) === word.form`.
 * @param options `language`: a BCP 47 tag (English unless it is given; only its first part counts for the settings), or
 *   settings of a language.
 * @returns sentences in order; no word is empty or holds white space; an empty text gives none.
 * @throws TaggerError `option` for what is no BCP 47 tag.
 *
 * @example
 * ```ts
 * segmentText("I don't. Why?").map((s) => s.words.map((w) => w.form)); // [["I", "do", "n't", "."], ["Why", "?"]]
 * segmentText("Den 3. maj kl. 8.", { language: "da" })[0].words.map((w) => w.form); // ["Den", "3.", "maj", "kl.", "8", "."]
 * ```
 */
export function segmentText(text: string, options?: SentenceOptions): TextSentence[] {
  return [...textSentences(text, options)];
}

/** {@link segmentText}, one sentence after the other as they are asked for. */
export function* textSentences(text: string, options?: SentenceOptions): Generator<TextSentence> {
  for (const span of sentencesOf(text, options)) {
    const sentence = segmentSentence(text, span, options?.language);
    if (sentence.words.length > 0) yield sentence;
  }
}

/**
 * The words of one sentence whose extent is known, as {@link segmentText} would find them.
 *
 * @param text the whole text.
 * @param span the sentence inside it; the whole text by default.
 * @param language as in {@link segmentText}.
 */
export function segmentSentence(
  text: string,
  span: Span = { start: 0, end: text.length },
  language?: Language,
): TextSentence {
  const { tokensOf, contractionCuts: cutsOf } = rulesOf(language);
  const words: TextWord[] = [];
  const multiwordTokens: MultiwordToken[] = [];
  const wordAt = (start: number, end: number): TextWord => ({ form: text.slice(start, end), start, end });
  for (const { start, end } of tokensOf(text, span.start, span.end)) {
    const token = wordAt(start, end);
    const cuts = cutsOf(token.form);
    const starts = cuts ?? [0, ...splitUnspaced(token.form)];
    const firstWord = words.length;
    starts.forEach((cut, i) => words.push(wordAt(start + cut, start + (starts[i + 1] ?? token.form.length))));
    if (cuts !== undefined) multiwordTokens.push({ ...token, firstWord, wordsEnd: words.length });
  }
  return { start: span.start, end: span.end, text: text.slice(span.start, span.end), words, multiwordTokens };
}

/**
 * Where the words of a contraction begin inside its form, or undefined if the token is one word: `don't` has words at 0
 * and 2 (`do` `n't`), `Sam's` at 0 and 3, `cannot` at 0 and 3.
 *
 * The form's words joined again are the form. Decades (`60's`) and words that only look contracted (`o'clock`) are one
 * word, as are all of languages without contractions. Source: the multiword tokens of UD English-EWT.
 *
 * @param language as in {@link segmentText}.
 */
export function contractionCuts(form: string, language?: Language): readonly number[] | undefined {
  return rulesOf(language).contractionCuts(form);
}
