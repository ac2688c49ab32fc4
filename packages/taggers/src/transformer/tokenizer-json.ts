import * as v from "valibot";
import { TaggerError } from "../tagger-error.js";

const AddedToken = v.looseObject({ id: v.pipe(v.number(), v.integer(), v.minValue(0)), content: v.string() });

const Model = v.looseObject({
  type: v.optional(v.string()),
  vocab: v.union([
    v.record(v.string(), v.pipe(v.number(), v.integer(), v.minValue(0))),
    v.array(v.tuple([v.string(), v.number()])),
  ]),
  merges: v.optional(v.array(v.union([v.string(), v.tuple([v.string(), v.string()])]))),
  unk_token: v.nullish(v.string()),
  unk_id: v.nullish(v.number()),
});

const Part = v.nullish(v.looseObject({ type: v.string() }));

const Schema = v.looseObject({
  added_tokens: v.optional(v.array(AddedToken), []),
  normalizer: Part,
  pre_tokenizer: Part,
  post_processor: Part,
  padding: v.nullish(v.looseObject({ pad_id: v.optional(v.number()) })),
  model: Model,
});

/** A `tokenizer.json` of the Hugging Face tokenizers library, as far as it is read here. */
export type TokenizerJson = v.InferOutput<typeof Schema>;

/**
 * Checks the parts of a `tokenizer.json` that are used here; everything else is kept as it is.
 *
 * @throws TaggerError `tokenizer` naming the path inside the JSON.
 */
export function parseTokenizerJson(json: unknown, where = "tokenizer.json"): TokenizerJson {
  const result = v.safeParse(Schema, json);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = v.getDotPath(issue) ?? "content";
  throw new TaggerError(
    "tokenizer",
    `openTagger: ${where}: ${path}: expected ${issue.expected ?? "another value"}, got ${issue.received}`,
    { path: where, name: path },
  );
}

/** The vocabulary as a map from token to id, added tokens left out. */
export function vocabularyOf({ model }: TokenizerJson): Map<string, number> {
  if (!Array.isArray(model.vocab)) return new Map(Object.entries(model.vocab));
  return new Map(model.vocab.map(([token], id) => [token, id]));
}
