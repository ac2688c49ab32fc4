import { createHash } from "node:crypto";
import { isAbsolute } from "node:path";
import { InputError } from "@nasty/workflow/command";
import * as v from "valibot";

/** The queue that carries shards, on whatever server. */
export const queueName = "nasty-shards";

const Path = v.pipe(
  v.string(),
  v.maxLength(4096),
  v.check((path) => isAbsolute(path) && !path.includes("\0"), "Expected a whole path."),
);

const Job = v.strictObject({
  schema: v.literal(1),
  /** The folder with the plan, which takes the result. */
  folder: Path,
  /** Name of a shard of that plan. */
  shard: v.pipe(v.string(), v.maxLength(64)),
  /** The text that the shard is of. */
  text: Path,
  /** Null for the embedded model. */
  model: v.nullable(Path),
});

/** What a worker is told of a shard: the rest stands in the plan. Paths are those of all machines. */
export type ShardJob = v.InferOutput<typeof Job>;

/**
 * What stands on a queue, checked: whoever reaches the server can write there.
 *
 * @throws InputError with the first thing that is wrong
 */
export function parseJob(data: unknown): ShardJob {
  const result = v.safeParse(Job, data);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new InputError(`queue: ${v.getDotPath(issue) ?? "job"}: ${issue.message}`);
}

/** One name a shard and folder: what is on the queue already is not put there twice. */
export function jobIdOf({ folder, shard }: Pick<ShardJob, "folder" | "shard">): string {
  return `${createHash("sha256").update(folder).digest("hex").slice(0, 16)}-${shard}`;
}
