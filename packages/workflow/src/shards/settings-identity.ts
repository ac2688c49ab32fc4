import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { isHfDirectory } from "@nasty/formats/hf/node";
import { readFileMaybeCompressed } from "@nasty/formats/archive/node";
import { getMetadata, parseModel } from "@nasty/formats/onnx";
import { sha256OfFile } from "../files/file-hash.js";
import { dataFiles } from "../models/model-bytes.js";
import { findTagger } from "@nasty/taggers/node";
import { versions } from "../versions.js";
import type { ShardSettings } from "./shard.js";

/** Files of a Hugging Face directory that decide on labels. */
const directoryFiles = [
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.txt",
  "vocab.json",
  "merges.txt",
];

/**
 * SHA-256 of all that a tagger is made of: its model file with the data files of that, and, where the model does not
 * carry its settings, the files of the directory that has them.
 */
export async function hashOfTagger(path: string): Promise<string> {
  const { modelPath } = await findTagger(path);
  // Its external data need not be read into it.
  const model = parseModel(await readFileMaybeCompressed(modelPath));
  const isWhole = !(await isHfDirectory(path)) && getMetadata(model, "nasty.tagger") !== undefined;
  const folder = dirname(modelPath);
  const folders = isWhole ? [] : [...new Set([path, folder, dirname(folder)])];
  const beside = folders.flatMap((one) => directoryFiles.map((name) => join(one, name)));
  const data = [...dataFiles(model)].toSorted().map((name) => join(folder, name));
  const hash = createHash("sha256");
  for (const file of [modelPath, ...data, ...beside]) {
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) hash.update(`${await sha256OfFile(file)}\n`);
  }
  return hash.digest("hex");
}

/** Versions of what labels, and the bytes that they are written as, depend on. */
export function versionsOf({
  compress,
  format,
}: Pick<ShardSettings, "compress" | "format">): Record<string, string> {
  const {
    icu = "none",
    zlib = "none",
    zstd = "none",
  } = process.versions as Record<string, string | undefined>;
  return {
    ...versions(),
    formats: versionOf("@nasty/formats"),
    runtime: versionOf("@nasty/runtime"),
    taggers: versionOf("@nasty/taggers"),
    // It says where sentences and words end.
    icu,
    ...(format === "parquet" && {
      parquet: versionIn(join(dirname(require.resolve("hyparquet-writer")), "..")),
    }),
    ...(compress === "gzip" && { zlib }),
    ...(compress === "zstd" && { zstd }),
  };
}

const require = createRequire(import.meta.url);

function versionOf(name: string): string {
  return versionIn(dirname(require.resolve(`${name}/package.json`)));
}

function versionIn(folder: string): string {
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version;
}
