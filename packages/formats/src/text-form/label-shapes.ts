/** Labels of chunks that name a type: `B-PER`, `I_LOC`, `PER-B`. */
const typedChunk = /^(?:[BIESLUM][-_].+|[^\s-]+[-_][BIESLUM])$/;
/** Labels of chunks that need not: `O` and `B`, `I`, … alone. */
const untypedChunk = /^[OBIESLUM]$/;

/** The 17 universal parts of speech, `_` for one that is not given, and common names of the same. */
const universal = new Set(
  (
    "ADJ ADP ADV AUX CCONJ CONJ DET INTJ NOUN NUM PART PRON PRT PROPN PUNCT SCONJ SYM VERB X . " +
    "adj adp adv aux cconj conj det intj noun num part pron propn punct sconj sym verb adjective adverb pronoun preposition"
  ).split(" "),
);

/** Tags of the Penn Treebank and of sets made like it: capitals, and signs for punctuation. */
const capitals = /^(?:[A-Z][A-Z0-9]{0,9}(?:[-_|.:+][A-Z0-9]+)*[$*]?|-[LR][RS]B-)$/;
const signs = /^(?:[.,:;?!()#$"'`]|''|``|--|\.\.\.)$/;

export const isTypedChunk = (label: string): boolean => typedChunk.test(label);

/** `O`, or a label of a chunk, with or without a type. */
export const isChunkLabel = (label: string): boolean => untypedChunk.test(label) || typedChunk.test(label);

export const isUniversalTag = (label: string): boolean => universal.has(label);

export const isCapitalTag = (label: string): boolean => capitals.test(label);

/** A tag as tag sets of parts of speech have them: capitals, or the sign itself. */
export const isTag = (label: string): boolean => capitals.test(label) || signs.test(label);

/** What may be a label at all: short, without blanks, no number and no amount. */
export const mayBeLabel = (value: string): boolean =>
  value.length > 0 &&
  value.length <= 40 &&
  !/\s/.test(value) &&
  !/^[-+]?[0-9.,:%/]*[0-9][0-9.,:%/]*$/.test(value);

/** A word that is a sign: sentences have them, lists and tables hardly. */
export const isPunctuation = (word: string): boolean => /^[\p{P}]+$/u.test(word);

/** Share of the values that have a property, 0 for none. */
export function share(values: readonly string[], has: (value: string) => boolean): number {
  return values.length === 0 ? 0 : values.filter(has).length / values.length;
}
