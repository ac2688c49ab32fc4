import { createHash } from "node:crypto";
import { InputError } from "../errors.js";
import { openRanges } from "./byte-ranges.js";
import type { ShardTask } from "./shard-task.js";
import type { Shard } from "./shard.js";

/**
 * The text of a shard, read where it lies if it has not come along.
 *
 * @throws InputError for a text that is not what it was when it was planned; FormatError as `readChunks`
 */
export async function bytesOfShard({ shard, input, source }: ShardTask): Promise<Uint8Array> {
  if ("bytes" in source) return source.bytes;
  const ranges = openRanges(source.path);
  try {
    return checkedBytes(await ranges.read(shard.start, shard.end), shard, input.name);
  } finally {
    await ranges.close();
  }
}

/**
 * @throws InputError for bytes that are not those of the plan
 */
export function checkedBytes(bytes: Uint8Array, { start, end, sha256 }: Shard, name: string): Uint8Array {
  if (createHash("sha256").update(bytes).digest("hex") === sha256) return bytes;
  throw new InputError(
    `read ${name}: bytes ${start} to ${end}: expected what was there when it was planned, got other text; run again to plan anew`,
  );
}
