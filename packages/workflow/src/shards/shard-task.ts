import type { Shard, ShardInput, ShardSettings } from "./shard.js";

/** The text of a shard: itself, or the file of which it is a stretch. */
export type ShardSource = { readonly bytes: Uint8Array } | { readonly path: string };

/** A shard with its text: all that is needed to do it, wherever. */
export interface ShardTask {
  readonly shard: Shard;
  readonly settings: ShardSettings;
  readonly input: Pick<ShardInput, "name" | "form">;
  readonly source: ShardSource;
  /** Start of the whole text up to the end of its first sentence, for shards that do not begin with it. */
  readonly lead: Uint8Array;
  /** Start of the whole text, by which its columns are told. */
  readonly head: string;
}
