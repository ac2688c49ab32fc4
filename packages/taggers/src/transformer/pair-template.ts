import { TaggerError } from "../tagger-error.js";
import type { TokenizerJson } from "./tokenizer-json.js";

/** What stands in a row of two texts, in order: a special token, or all subwords of one of them. */
export type PairPiece =
  | { readonly kind: "token"; readonly id: number; readonly type: number }
  | { readonly kind: "text"; readonly which: 0 | 1; readonly type: number };

type Json = { readonly [key: string]: unknown };
type IdOf = (token: string) => number | undefined;

interface TemplatePiece {
  readonly SpecialToken?: { readonly id: string; readonly type_id: number };
  readonly Sequence?: { readonly id: string; readonly type_id: number };
}

const bare: readonly PairPiece[] = [
  { kind: "text", which: 0, type: 0 },
  { kind: "text", which: 1, type: 1 },
];

/**
 * What a tokenizer's post-processor makes of two texts.
 *
 * @returns undefined for a template that has no form for two
 * @throws TaggerError `tokenizer` for a token without an id
 * @see the post-processors of Hugging Face tokenizers 0.20
 */
export function pairTemplateOf(json: TokenizerJson, idOf: IdOf): readonly PairPiece[] | undefined {
  return json.post_processor == null ? bare : templateOf(json.post_processor as Json, idOf);
}

function templateOf(processor: Json, idOf: IdOf): readonly PairPiece[] | undefined {
  switch (processor["type"]) {
    case "Sequence": {
      // One of them puts the tokens in; the others change offsets.
      const templates = (processor["processors"] as Json[]).map((one) => templateOf(one, idOf));
      return templates.every((one) => one === bare) ? bare : templates.find((one) => one !== bare);
    }
    case "BertProcessing":
      return around(processor, { separators: 1, secondType: 1 });
    case "RobertaProcessing":
      return around(processor, { separators: 2, secondType: 0 });
    case "TemplateProcessing":
      return ofTemplate(processor, idOf);
    default:
      return bare;
  }
}

function around(
  processor: Json,
  { separators, secondType }: { readonly separators: number; readonly secondType: number },
): PairPiece[] {
  const token = (key: "cls" | "sep", type: number): PairPiece => {
    const [name, id] = processor[key] as readonly [string, unknown];
    return { kind: "token", id: checkedId(id, name), type };
  };
  return [
    token("cls", 0),
    { kind: "text", which: 0, type: 0 },
    ...Array.from({ length: separators }, () => token("sep", 0)),
    { kind: "text", which: 1, type: secondType },
    token("sep", secondType),
  ];
}

function ofTemplate(processor: Json, idOf: IdOf): readonly PairPiece[] | undefined {
  const pieces = Array.isArray(processor["pair"]) ? (processor["pair"] as TemplatePiece[]) : [];
  const known = (processor["special_tokens"] ?? {}) as Record<string, { readonly ids?: readonly number[] }>;
  const found = pieces.flatMap(({ SpecialToken: token, Sequence: text }): PairPiece[] => {
    if (text !== undefined) return [{ kind: "text", which: text.id === "B" ? 1 : 0, type: text.type_id }];
    if (token === undefined) return [];
    const ids = known[token.id]?.ids ?? [idOf(token.id)];
    return ids.map((id) => ({ kind: "token", id: checkedId(id, token.id), type: token.type_id }));
  });
  const isWhole = [0, 1].every((which) =>
    found.some((piece) => piece.kind === "text" && piece.which === which),
  );
  return isWhole ? found : undefined;
}

function checkedId(id: unknown, token: string): number {
  if (Number.isSafeInteger(id) && (id as number) >= 0) return id as number;
  throw new TaggerError(
    "tokenizer",
    `openTagger: tokenizer: id of ${token}: expected a number, got ${String(id)}`,
    { name: token },
  );
}
