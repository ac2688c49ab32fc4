import { TaggerError } from "../tagger-error.js";

type Json = Readonly<Record<string, unknown>>;
/** Refuses the value of one key of a part. */
type Check = (value: unknown) => string | undefined;

/** Parts inside parts of real files: two levels. */
const DEEPEST = 8;
/** Together in one tokenizer; real ones have a dozen. */
const MOST_PARTS = 1000;

const text: Check = (value) => (typeof value === "string" ? undefined : "a string");
const flag: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");
const optional =
  (check: Check): Check =>
  (value) =>
    value == null ? undefined : check(value);
const length: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? undefined : "a positive integer";
const idCheck: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : "an id";
const pair: Check = (value) =>
  Array.isArray(value) && typeof value[0] === "string" && idCheck(value[1]) === undefined
    ? undefined
    : "a token and its id";
const pattern: Check = (value) => {
  if (typeof value !== "object" || value === null) return "an object with Regex or String";
  const { Regex: regex, String: plain } = value as Json;
  return typeof regex === "string" || typeof plain === "string"
    ? undefined
    : "an object with Regex or String";
};

type Keys = Readonly<Record<string, Check>>;

const normalizers: Readonly<Record<string, Keys>> = {
  BertNormalizer: {},
  NFC: {},
  NFD: {},
  NFKC: {},
  NFKD: {},
  StripAccents: {},
  Lowercase: {},
  Precompiled: {},
  Strip: { strip_left: optional(flag), strip_right: optional(flag) },
  Prepend: { prepend: text },
  Replace: { pattern, content: text },
};

const preTokenizers: Readonly<Record<string, Keys>> = {
  BertPreTokenizer: {},
  Whitespace: {},
  WhitespaceSplit: {},
  Punctuation: {},
  Digits: { individual_digits: optional(flag) },
  ByteLevel: { add_prefix_space: optional(flag), use_regex: optional(flag) },
  Metaspace: {
    replacement: optional(text),
    prepend_scheme: optional(text),
    add_prefix_space: optional(flag),
  },
  Split: { pattern, behavior: optional(text), invert: optional(flag) },
  Replace: { pattern, content: text },
  FixedLength: { length },
};

const templatePieces: Check = (value) => {
  if (!Array.isArray(value)) return "a list of pieces";
  const isPiece = (piece: unknown): boolean => {
    const { SpecialToken: token, Sequence: sequence } = (piece ?? {}) as Record<string, Json | undefined>;
    const part = token ?? sequence;
    return (
      typeof part === "object" &&
      part !== null &&
      typeof part["id"] === "string" &&
      idCheck(part["type_id"]) === undefined
    );
  };
  return value.every(isPiece)
    ? undefined
    : "pieces that are a SpecialToken or a Sequence with id and type_id";
};

const templateTokens: Check = (value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "an object of tokens";
  const isToken = (token: unknown): boolean => {
    const ids = (token as Json | null)?.["ids"];
    return ids === undefined || (Array.isArray(ids) && ids.every((id) => idCheck(id) === undefined));
  };
  return Object.values(value).every(isToken) ? undefined : "tokens with a list of ids";
};

const postProcessors: Readonly<Record<string, Keys>> = {
  ByteLevel: {},
  BertProcessing: { cls: pair, sep: pair },
  RobertaProcessing: { cls: pair, sep: pair },
  TemplateProcessing: { single: templatePieces, special_tokens: optional(templateTokens) },
};

/** Each part of a tokenizer with the types that it may have, and the key under which a sequence has its own. */
const parts = [
  ["normalizer", normalizers, "normalizers"],
  ["pre_tokenizer", preTokenizers, "pretokenizers"],
  ["post_processor", postProcessors, "processors"],
] as const;

/**
 * Checks what the parts of a `tokenizer.json` need to work: their types, and the keys that these read.
 *
 * @param where names the file in messages
 * @throws TaggerError `tokenizer` naming the place inside the JSON, such as `pre_tokenizer.pretokenizers.1.pattern`
 */
export function checkParts(json: Json, where: string): void {
  let count = 0;
  const refuse = (place: string, expected: string, value: unknown): TaggerError =>
    new TaggerError(
      "tokenizer",
      `openTagger: ${where}: ${place}: expected ${expected}, got ${shown(value)}`,
      {
        path: where,
        name: place,
      },
    );
  for (const [name, types, listKey] of parts) {
    const check = (value: unknown, place: string, depth: number): void => {
      count += 1;
      if (count > MOST_PARTS) throw refuse(place, `at most ${MOST_PARTS} parts`, "more");
      if (depth > DEEPEST) throw refuse(place, `at most ${DEEPEST} levels of sequences`, "more");
      if (typeof value !== "object" || value === null || Array.isArray(value))
        throw refuse(place, "an object", value);
      const part = value as Json;
      const type = part["type"];
      if (type === "Sequence") {
        const list = part[listKey];
        if (!Array.isArray(list)) throw refuse(`${place}.${listKey}`, "a list", list);
        list.forEach((one, i) => check(one, `${place}.${listKey}.${i}`, depth + 1));
        return;
      }
      if (typeof type !== "string" || !Object.hasOwn(types, type)) {
        throw refuse(`${place}.type`, [...Object.keys(types), "Sequence"].join(", "), type);
      }
      for (const [key, wants] of Object.entries(types[type] as Keys)) {
        const expected = wants(part[key]);
        if (expected !== undefined) throw refuse(`${place}.${key}`, expected, part[key]);
      }
    };
    if (json[name] != null) check(json[name], name, 1);
  }
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const written = JSON.stringify(value);
  return written.length > 60 ? `${written.slice(0, 60)}…` : written;
}
