import * as v from "valibot";
import { textForms } from "../texts/input-format.js";

/** Forms of shards on the disk; `own` is that of CoNLL-U or columns themselves, with other labels. */
export const shardFormats = ["own", "text", "conllu", "jsonl", "columns", "parquet"] as const;
export type ShardFormat = (typeof shardFormats)[number];

export const shardCompressions = ["gzip", "zstd"] as const;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "Expected 64 hexadecimal digits."));
/** A name of a file right in the folder: what comes from a file must not lead out of it. */
const FileName = v.pipe(v.string(), v.regex(/^[0-9]{5}-[0-9]{6}-[0-9a-f]{16}\.[a-z.]{3,20}$/));

/** What the labels of all shards depend on, beside the text. */
const Settings = v.object({
  /** SHA-256 of all that the tagger is made of. */
  model: Sha256,
  task: v.optional(v.picklist(["pos", "ner"])),
  scheme: v.optional(v.string()),
  /** Undefined: CoNLL-U for plain text, the text's own form otherwise. */
  format: v.optional(v.picklist(shardFormats)),
  compress: v.optional(v.picklist(shardCompressions)),
  onePerLine: v.boolean(),
  exactBatches: v.boolean(),
  threads: Count,
  /** Words that a shard has, about. */
  shardWords: Count,
  versions: v.record(v.string(), v.string()),
});

/** A text that is cut into shards. */
const Input = v.object({
  /** Its path below the folder that all inputs have in common, with slashes. */
  name: v.string(),
  form: v.picklist(textForms),
  /** Bytes of the file as it lies on the disk. */
  bytes: Count,
  /** When the file was last changed, in milliseconds: whoever finds it unchanged need not read it to plan again. */
  modified: v.number(),
  /** Bytes of the (unpacked) text up to the end of its first sentence, for forms whose columns that one shows. */
  lead: Count,
  /** Why it has no shards, where it cannot be read. */
  error: v.optional(v.string()),
});

/** A stretch of a text that no sentence crosses. */
const Shard = v.object({
  /** File of its result, named by what that depends on. */
  name: FileName,
  /** Place of its text among the inputs, from 0. */
  input: Count,
  /** Place among the shards of its text, from 1. */
  index: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** Bytes of the (unpacked) text before it, and up to its end. */
  start: Count,
  end: Count,
  /** UTF-16 units of the text before it; 0 where words are given. */
  offset: Count,
  /** Lines of the text before it; 0 for plain text. */
  line: Count,
  /** Words in it, about. */
  words: Count,
  /** SHA-256 of its bytes. */
  sha256: Sha256,
});

/** Everything that is to be done, the same wherever and whenever it is made. */
export const PlanSchema = v.object({
  schema: v.literal(1),
  settings: Settings,
  inputs: v.array(Input),
  shards: v.array(Shard),
});

/** What was written for a shard, beside its file. */
export const ManifestSchema = v.object({
  schema: v.literal(1),
  name: FileName,
  sentences: Count,
  words: Count,
  /** Size and SHA-256 of the file. */
  bytes: Count,
  sha256: Sha256,
  source: v.object({ name: v.string(), start: Count, end: Count, sha256: Sha256 }),
});

export type ShardSettings = v.InferOutput<typeof Settings>;
export type ShardInput = v.InferOutput<typeof Input>;
export type Shard = v.InferOutput<typeof Shard>;
export type ShardPlan = v.InferOutput<typeof PlanSchema>;
export type Manifest = v.InferOutput<typeof ManifestSchema>;

/** A manifest's name beside its shard. */
export function manifestName(shardName: string): string {
  return `${shardName.slice(0, shardName.indexOf("."))}.json`;
}

/** The form that the shards of a text are written in. */
export function formatOf({ format }: Pick<ShardSettings, "format">, form: ShardInput["form"]): ShardFormat {
  return format ?? (form === "plain" ? "conllu" : "own");
}

/** Ending of a shard's file. */
export function endingOf(
  { format, compress }: Pick<ShardSettings, "format" | "compress">,
  form: ShardInput["form"],
): string {
  const endings = { text: "txt", conllu: "conllu", jsonl: "jsonl", columns: "tsv", parquet: "parquet" };
  const chosen = formatOf({ format }, form);
  const ending = chosen === "own" ? (form === "conllu" ? "conllu" : "tsv") : endings[chosen];
  // Parquet compresses its pages itself.
  if (compress === undefined || chosen === "parquet") return ending;
  return `${ending}.${compress === "gzip" ? "gz" : "zst"}`;
}
