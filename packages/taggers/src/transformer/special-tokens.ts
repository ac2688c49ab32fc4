import { TaggerError } from "../tagger-error.js";
import type { TokenizerJson } from "./tokenizer-json.js";

/** What a post-processor puts around one sequence. */
export interface SpecialTokens {
  readonly before: readonly number[];
  readonly beforeTypes: readonly number[];
  /** Type id of the sequence's own positions. */
  readonly sequenceType: number;
  readonly after: readonly number[];
  readonly afterTypes: readonly number[];
}

type Json = { readonly [key: string]: unknown };

const NONE: SpecialTokens = { before: [], beforeTypes: [], sequenceType: 0, after: [], afterTypes: [] };

/**
 * The special tokens and type ids that a tokenizer's post-processor gives a single sequence.
 *
 * @param idOf id of a token by its content, undefined if the tokenizer does not have it.
 * @throws TaggerError `tokenizer` for a post-processor of unknown type or one that names a token without an id.
 */
export function specialTokensOf(
  json: TokenizerJson,
  idOf: (token: string) => number | undefined,
): SpecialTokens {
  return json.post_processor == null ? NONE : apply(NONE, json.post_processor as Json, idOf);
}

function apply(
  inner: SpecialTokens,
  processor: Json,
  idOf: (token: string) => number | undefined,
): SpecialTokens {
  switch (processor["type"]) {
    case "ByteLevel":
      return inner;
    case "Sequence":
      return (processor["processors"] as Json[]).reduce((tokens, next) => apply(tokens, next, idOf), inner);
    case "BertProcessing":
    case "RobertaProcessing": {
      const id = (key: "cls" | "sep"): number => requireId((processor[key] as [string, number])[1], key);
      return around(inner, [id("cls")], [0], [id("sep")], [0]);
    }
    case "TemplateProcessing":
      return applyTemplate(inner, processor, idOf);
    default:
      throw new TaggerError(
        "tokenizer",
        `openTagger: tokenizer: post-processor: expected TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel or Sequence, got ${String(processor["type"])}`,
      );
  }
}

interface TemplatePiece {
  readonly SpecialToken?: { readonly id: string; readonly type_id: number };
  readonly Sequence?: { readonly id: string; readonly type_id: number };
}

function applyTemplate(
  inner: SpecialTokens,
  processor: Json,
  idOf: (token: string) => number | undefined,
): SpecialTokens {
  const known = (processor["special_tokens"] ?? {}) as Record<string, { readonly ids?: readonly number[] }>;
  const before: [number, number][] = [];
  const after: [number, number][] = [];
  let sequenceType: number | undefined;
  for (const piece of processor["single"] as TemplatePiece[]) {
    if (piece.Sequence !== undefined) sequenceType = piece.Sequence.type_id;
    if (piece.SpecialToken === undefined) continue;
    const { id: token, type_id: type } = piece.SpecialToken;
    const ids = known[token]?.ids ?? [idOf(token)];
    for (const id of ids) (sequenceType === undefined ? before : after).push([requireId(id, token), type]);
  }
  const outer = around(
    inner,
    before.map(([id]) => id),
    before.map(([, type]) => type),
    after.map(([id]) => id),
    after.map(([, type]) => type),
  );
  return { ...outer, sequenceType: sequenceType ?? 0 };
}

function around(
  inner: SpecialTokens,
  before: readonly number[],
  beforeTypes: readonly number[],
  after: readonly number[],
  afterTypes: readonly number[],
): SpecialTokens {
  return {
    before: [...before, ...inner.before],
    beforeTypes: [...beforeTypes, ...inner.beforeTypes],
    sequenceType: inner.sequenceType,
    after: [...inner.after, ...after],
    afterTypes: [...inner.afterTypes, ...afterTypes],
  };
}

function requireId(id: unknown, token: string): number {
  if (Number.isSafeInteger(id) && (id as number) >= 0) return id as number;
  throw new TaggerError(
    "tokenizer",
    `openTagger: tokenizer: id of ${token}: expected a number, got ${String(id)}`,
    {
      name: token,
    },
  );
}
