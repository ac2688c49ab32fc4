import * as v from "valibot";
import { TaggerError } from "../tagger-error.js";
import { checkParts } from "./tokenizer-parts.js";

/** No embedding has more rows; what an id is used for takes memory by its size. */
export const LARGEST_ID = 2 ** 24 - 1;
/** Added tokens are kept letter by letter: of all together. */
const MOST_ADDED_CHARACTERS = 4_000_000;

const Id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LARGEST_ID));
const AddedToken = v.looseObject({
  id: Id,
  content: v.pipe(v.string(), v.minLength(1), v.maxLength(10_000)),
});

/** Tokens with their ids. Not a record of the schema library, which leaves out words such as "constructor". */
const Vocabulary = v.custom<Readonly<Record<string, number>>>(
  (vocab) => typeof vocab === "object" && vocab !== null && !Array.isArray(vocab),
  "tokens with ids",
);

const Model = v.looseObject({
  type: v.nullish(v.picklist(["WordPiece", "BPE", "Unigram", "WordLevel"])),
  vocab: v.union([Vocabulary, v.array(v.tuple([v.string(), v.number()]))]),
  merges: v.nullish(
    v.array(v.union([v.pipe(v.string(), v.regex(/^\S+ \S+$/su)), v.tuple([v.string(), v.string()])])),
  ),
  unk_token: v.nullish(v.string()),
  unk_id: v.nullish(Id),
  continuing_subword_prefix: v.nullish(v.string()),
  max_input_chars_per_word: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000))),
});

const Part = v.nullish(v.looseObject({ type: v.string() }));

const Schema = v.looseObject({
  added_tokens: v.pipe(
    v.optional(v.array(AddedToken), []),
    v.check(
      (tokens) => tokens.reduce((sum, { content }) => sum + content.length, 0) <= MOST_ADDED_CHARACTERS,
      `at most ${MOST_ADDED_CHARACTERS} characters together`,
    ),
  ),
  normalizer: Part,
  pre_tokenizer: Part,
  post_processor: Part,
  decoder: Part,
  padding: v.nullish(v.looseObject({ pad_id: v.optional(Id) })),
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
  if (result.success) {
    checkVocabulary(result.output, where);
    checkParts(result.output, where);
    return result.output;
  }
  const issue = result.issues[0];
  const path = v.getDotPath(issue) ?? "content";
  throw refuse(where, path, issue.expected ?? issue.message, issue.received);
}

/** Ids one by one, and what the kind of model needs: a loop without a path for each of 250,000 tokens. */
function checkVocabulary({ model }: TokenizerJson, where: string): void {
  const { vocab, type, merges, unk_id: unknown } = model;
  if (Array.isArray(vocab)) {
    if (vocab.length === 0) throw refuse(where, "model.vocab", "at least one token", "none");
    if (unknown != null && unknown >= vocab.length)
      throw refuse(where, "model.unk_id", `an id below ${vocab.length}`, String(unknown));
    if (type != null && type !== "Unigram")
      throw refuse(where, "model.vocab", `tokens with ids for ${type}`, "a list");
    return;
  }
  if (type === "Unigram") throw refuse(where, "model.vocab", "a list of tokens and scores", "an object");
  let count = 0;
  for (const token in vocab) {
    const id = vocab[token] as number;
    count += 1;
    if (Number.isInteger(id) && id >= 0 && id <= LARGEST_ID) continue;
    const place = `model.vocab: id of ${JSON.stringify(token.slice(0, 60))}`;
    throw refuse(where, place, `an integer from 0 to ${LARGEST_ID}`, JSON.stringify(id) ?? "nothing");
  }
  if (count === 0) throw refuse(where, "model.vocab", "at least one token", "none");
  if (type === "BPE" && merges == null) throw refuse(where, "model.merges", "a list of pairs", "nothing");
}

function refuse(where: string, place: string, expected: string, got: string): TaggerError {
  return new TaggerError("tokenizer", `openTagger: ${where}: ${place}: expected ${expected}, got ${got}`, {
    path: where,
    name: place,
  });
}

/** The vocabulary as a map from token to id, added tokens left out. */
export function vocabularyOf({ model }: TokenizerJson): Map<string, number> {
  if (!Array.isArray(model.vocab)) return new Map(Object.entries(model.vocab));
  return new Map(model.vocab.map(([token], id) => [token, id]));
}
