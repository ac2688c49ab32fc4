import { open, readFile, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { parseJson as parseBounded } from "@nasty/formats/json";
import { TfjsError } from "../tfjs-error.js";
import { readManifest, type WeightGroup } from "./manifest.js";

/** The files of a LayersModel, read. */
export interface LayersModelFiles {
  /** Path of the `model.json`. */
  readonly path: string;
  /** Paths of the shards, links followed. */
  readonly shards: readonly string[];
  /** What `importLayersModel` takes. */
  readonly modelJson: unknown;
  /** The bytes of all shards in the manifest's order. */
  readonly weightBytes: Uint8Array;
}

/**
 * Reads the folder of a LayersModel: its `model.json` and the shards that this names.
 *
 * Shards are read only from inside of the folder, links followed. Before anything is allocated, the sizes that the
 * manifest declares are compared with those of the files.
 *
 * @param path the folder
 * @throws TfjsError `not-found`, `invalid-model` (no JSON), `invalid-weights`, `unsafe-path` (a shard outside of the
 *   folder), `truncated-weights` (shards that are smaller or larger than declared)
 * @example
 * ```ts
 * const { modelJson, weightBytes } = await readLayersModel("models/tagger");
 * const { model } = importLayersModel(modelJson, weightBytes);
 * ```
 */
export async function readLayersModel(path: string): Promise<LayersModelFiles> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw refuse("not-found", path, "a folder with a model.json", found === undefined ? "nothing" : "a file");
  }
  const file = join(path, "model.json");
  const modelJson = parseJson(file, await readText(file));
  const manifest = readManifest((modelJson as { weightsManifest?: unknown } | null)?.weightsManifest);
  const folder = await realpath(path);
  const groups = await Promise.all(manifest.groups.map((group) => sizedShards(path, folder, group)));
  const shards = groups.flat();
  const weightBytes = new Uint8Array(manifest.byteLength);
  let offset = 0;
  for (const { path: shard, size } of shards) {
    await readInto(shard, weightBytes.subarray(offset, offset + size));
    offset += size;
  }
  return { path: file, shards: shards.map(({ path: shard }) => shard), modelJson, weightBytes };
}

async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === "ENOENT" || cause.code === "ENOTDIR";
    throw refuse("not-found", file, "a readable file", missing ? "nothing" : cause.message, cause);
  });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw refuse("invalid-model", file, "JSON in UTF-8", "other bytes", cause);
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return parseBounded(text);
  } catch (cause) {
    const got = text.trim() === "" ? "an empty file" : (cause as Error).message;
    throw refuse("invalid-model", file, "JSON", got, cause);
  }
}

interface Shard {
  readonly path: string;
  readonly size: number;
}

async function sizedShards(path: string, folder: string, group: WeightGroup): Promise<Shard[]> {
  const shards: Shard[] = [];
  for (const name of group.paths) shards.push(await shardOf(path, folder, name));
  const size = shards.reduce((sum, shard) => sum + shard.size, 0);
  if (size === group.byteLength) return shards;
  const names = group.paths.length > 3 ? `${group.paths[0]} … ${group.paths.at(-1)}` : group.paths.join(", ");
  throw refuse(
    "truncated-weights",
    `${path}: shards ${names || "(none)"}`,
    `${group.byteLength} bytes (weightsManifest)`,
    String(size),
  );
}

/** A shard by the manifest's name for it, which comes from outside and may not lead out of the folder. */
async function shardOf(path: string, folder: string, name: string): Promise<Shard> {
  const inside = (candidate: string): boolean => {
    const way = relative(folder, candidate);
    return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  };
  const where = `${path}: shard ${JSON.stringify(name)}`;
  const isPlain = name !== "" && !name.includes("\0") && !name.includes("\\") && !isAbsolute(name);
  if (!isPlain || /^[a-z][a-z0-9+.-]*:/i.test(name) || !inside(resolve(folder, name))) {
    throw refuse("unsafe-path", where, "a path inside of the folder", "one that leads out of it");
  }
  const real = await realpath(join(folder, name)).catch((cause: unknown) => {
    throw refuse("not-found", where, "a file", "nothing", cause);
  });
  if (!inside(real)) {
    throw refuse("unsafe-path", where, "a file inside of the folder", "a link that leads out of it");
  }
  const found = await stat(real);
  if (!found.isFile()) throw refuse("not-found", where, "a file", "a folder or device");
  return { path: real, size: found.size };
}

async function readInto(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "r");
  try {
    let at = 0;
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, 1 << 28), at);
      if (bytesRead === 0) {
        throw refuse("truncated-weights", path, `${bytes.length} bytes, as it had before`, String(at));
      }
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

function refuse(
  code: "not-found" | "invalid-model" | "unsafe-path" | "truncated-weights",
  where: string,
  expected: string,
  got: string,
  cause?: unknown,
): TfjsError {
  const message = `readLayersModel: ${where}: expected ${expected}, got ${got}`;
  return new TfjsError(code, message, cause === undefined ? {} : { cause });
}
