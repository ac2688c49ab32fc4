import { Readable, type Transform } from "node:stream";
import zlib from "node:zlib";
import { compressed } from "@nasty/formats/archive/node";
import { UsageError } from "../errors.js";
import type { ShardSettings } from "./shard.js";

/** Text that is written once and read once: the ratio of higher levels is not worth their time. */
const gzipLevel = 6;

type Chunks = AsyncIterable<Uint8Array>;

/** A shard's bytes as its name says that they are compressed. */
export function compressedShard(
  chunks: Chunks,
  name: string,
  { compress }: Pick<ShardSettings, "compress">,
): Chunks {
  if (name.endsWith(".gz")) return compressed(chunks, "gzip", { level: gzipLevel });
  if (compress === "zstd" && name.endsWith(".zst")) return zstd(chunks);
  return chunks;
}

/** Node has zstd from 22.15 and 23.8 on; the types of older ones do not know it. */
const { createZstdCompress } = zlib as unknown as { readonly createZstdCompress?: () => Transform };

/**
 * @throws UsageError where this Node cannot compress so
 */
export function checkCompression(compress: ShardSettings["compress"]): void {
  if (compress !== "zstd" || createZstdCompress !== undefined) return;
  throw new UsageError(
    `tag: --compress zstd: expected Node 22.15 or later, or 23.8 or later, which have zstd, got ${process.version}; give --compress gzip`,
  );
}

async function* zstd(chunks: Chunks): AsyncGenerator<Uint8Array> {
  checkCompression("zstd");
  const transform = (createZstdCompress as () => Transform)();
  const source = Readable.from(chunks, { objectMode: true, highWaterMark: 1 });
  source.on("error", (error) => transform.destroy(error));
  transform.on("close", () => source.destroy());
  yield* source.pipe(transform) as AsyncIterable<Uint8Array>;
}
