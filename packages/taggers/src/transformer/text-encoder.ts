import { TaggerError } from "../tagger-error.js";
import { type PairPiece, pairTemplateOf } from "./pair-template.js";
import { type SpecialTokens, specialTokensOf } from "./special-tokens.js";
import {
  buildTokenizer,
  largestIdOf,
  LONGEST_MATCHED,
  type TokenizerSettings,
  unknownIdOf,
} from "./word-encoder.js";

/** A text, or two that belong together, as a model reads it: special tokens included. */
export interface TextRow {
  readonly ids: Int32Array;
  /** Type of each. */
  readonly types: Int32Array;
}

/** Whole texts to subword ids. */
export interface TextEncoder {
  readonly special: SpecialTokens;
  readonly padId: number;
  /** Largest id that texts and special tokens can get. */
  readonly largestId: number;
  /**
   * One row for a text, or for a pair of texts. What is longer than `most` subwords, special tokens included, is cut at
   * its end; of a pair the longer text is cut first.
   *
   * @throws TaggerError `tokenizer` for a pair where the tokenizer has no form for two texts, `window` where special
   *   tokens leave no room.
   */
  encode(text: string, pair: string | undefined, most: number): TextRow;
}

/**
 * An encoder of whole texts, as Hugging Face tokenizers do with `truncation="longest_first"`.
 *
 * A text of more than 1,000 characters is encoded in pieces that are cut at white space, and only as far as the model
 * reads: time and memory follow the subwords that are kept.
 *
 * @throws TaggerError `tokenizer` if the tokenizer cannot be built.
 */
export function makeTextEncoder(settings: TokenizerSettings): TextEncoder {
  const { json, padId } = settings;
  const { tokenizer } = buildTokenizer(settings);
  const idOf = (token: string | null | undefined): number | undefined =>
    token == null ? undefined : tokenizer.token_to_id(token);
  const unknown = unknownIdOf(settings, idOf);
  const special = specialTokensOf(json, idOf);
  const template = pairTemplateOf(json, idOf);

  const idsOf = (text: string, most: number): number[] => {
    const ids: number[] = [];
    for (let at = 0; at < text.length && ids.length < most; ) {
      const end = pieceEnd(text, at);
      const { ids: own } = tokenizer.encode(text.slice(at, end), { add_special_tokens: false });
      for (const id of own as (number | undefined)[]) {
        const known = id ?? unknown;
        if (known !== undefined) ids.push(known);
      }
      at = end;
    }
    return ids.slice(0, most);
  };
  const single: readonly PairPiece[] = [
    ...special.before.map((id, i) => token(id, special.beforeTypes[i] as number)),
    { kind: "text", which: 0, type: special.sequenceType },
    ...special.after.map((id, i) => token(id, special.afterTypes[i] as number)),
  ];
  return {
    special,
    padId,
    largestId: largestIdOf(json, [...special.before, ...special.after, padId]),
    encode(text, pair, most) {
      const pieces = pair === undefined ? single : template;
      if (pieces === undefined) {
        throw new TaggerError(
          "tokenizer",
          "openTagger: tokenizer: post-processor: expected a form for pairs of texts, got none; give single texts",
        );
      }
      const capacity = most - pieces.filter(({ kind }) => kind === "token").length;
      if (capacity < 1) {
        throw new TaggerError(
          "window",
          `openTagger: model: positions: expected room for a subword beside ${most - capacity} special tokens, got ${most} positions`,
        );
      }
      const texts = [text, ...(pair === undefined ? [] : [pair])].map((one) => idsOf(one, capacity));
      const [first = [], second = []] = texts;
      const [keptFirst, keptSecond] = longestFirst(first.length, second.length, capacity);
      const kept = [first.slice(0, keptFirst), second.slice(0, keptSecond)] as const;
      const row = pieces.flatMap((piece): (readonly [number, number])[] =>
        piece.kind === "token"
          ? [[piece.id, piece.type]]
          : kept[piece.which].map((id) => [id, piece.type] as const),
      );
      // Nothing at all is no row: a model of rows without a position gives no numbers.
      const filled = row.length > 0 ? row : [[unknown ?? padId, special.sequenceType] as const];
      return {
        ids: Int32Array.from(filled, ([id]) => id),
        types: Int32Array.from(filled, ([, type]) => type),
      };
    },
  };
}

const token = (id: number, type: number): PairPiece => ({ kind: "token", id, type });

/** A piece ends before white space where there is some in its second half, and never inside a code point. */
function pieceEnd(text: string, start: number): number {
  const last = start + LONGEST_MATCHED;
  if (last >= text.length) return text.length;
  for (let end = last; end > start + LONGEST_MATCHED / 2; end--)
    if (/\s/u.test(text[end] as string)) return end;
  const isInside = (text.charCodeAt(last) & 0xfc00) === 0xdc00;
  return isInside ? last - 1 : last;
}

/** How much of two texts is kept: the longer is cut until both are as long, then both. */
function longestFirst(first: number, second: number, most: number): readonly [number, number] {
  if (first + second <= most) return [first, second];
  const shorter = Math.min(first, second, Math.floor(most / 2));
  return first > second ? [most - shorter, shorter] : [shorter, most - shorter];
}
