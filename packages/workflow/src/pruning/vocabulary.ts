import type { VocabularyOptions } from "@nasty/compression";
import { openTagger } from "@nasty/taggers/node";
import { InputError } from "../errors.js";
import type { LoadedModel } from "../models/load-model.js";
import { readWords } from "../texts/unlabelled-text.js";

interface Vocabulary {
  readonly model?: { readonly vocab?: unknown; readonly unk_token?: unknown };
  readonly added_tokens?: readonly { readonly id?: unknown }[];
}

/** Marks of tokenizers for pieces inside or at the start of a word. */
const marks = /^(##|▁|Ġ)/u;

/**
 * The rows that a text needs, and those that keep every other word taggable: special tokens, and pieces of one
 * character.
 *
 * @throws InputError for a model without a vocabulary of pieces or without an unknown token
 */
export async function neededVocabulary(
  loaded: LoadedModel,
  file: string,
  { threads, signal }: { readonly threads: number; readonly signal: AbortSignal | undefined },
): Promise<VocabularyOptions> {
  const { path, tagger: settings } = loaded;
  const json = settings?.kind === "transformer" ? (settings.tokenizer.json as Vocabulary) : undefined;
  const pieces = json?.model?.vocab;
  if (json === undefined || typeof pieces !== "object" || pieces === null || Array.isArray(pieces)) {
    throw new InputError(
      `prune: --vocabulary: ${path}: expected a transformer with a vocabulary of pieces (WordPiece, BPE), got another model`,
    );
  }
  const ids = new Map(Object.entries(pieces as Record<string, number>));
  const unknownToken = settings?.kind === "transformer" ? settings.tokenizer.unkToken : undefined;
  const unknown = ids.get(String(unknownToken ?? json.model?.unk_token));
  if (unknown === undefined) {
    throw new InputError(
      `prune: --vocabulary: ${path}: expected a tokenizer with an unknown token, got none`,
    );
  }
  const keep = new Set<number>();
  for (const { id } of json.added_tokens ?? []) if (typeof id === "number") keep.add(id);
  for (const [piece, id] of ids) if ([...piece.replace(marks, "")].length <= 1) keep.add(id);
  const tagger = await openTagger(path, { threads });
  try {
    for await (const { feeds } of tagger.feedsOf(readWords(file), { signal })) {
      for (const id of (feeds["input_ids"]?.data ?? []) as Iterable<bigint | number>) keep.add(Number(id));
    }
  } finally {
    await tagger.close();
  }
  return { keep, unknown };
}
