import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseJson } from "@nasty/formats/json";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import * as v from "valibot";
import { sha256OfFile } from "../files/file-hash.js";
import { type Manifest, ManifestSchema, manifestName } from "./shard.js";

/** The manifest of a shard; undefined where there is none, or what is there is none. */
export async function readManifest(folder: string, name: string): Promise<Manifest | undefined> {
  const text = await readFile(join(folder, manifestName(name)), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const result = v.safeParse(ManifestSchema, parseJson(text));
    return result.success && result.output.name === name ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/** Puts a manifest beside its shard, which is there by then. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(manifest)}\n`;
  await writeFileAtomic(join(folder, manifestName(manifest.name)), [Buffer.from(text)]);
}

/** Whether a shard seems to be done: there is a file of the size that its manifest says. */
export async function isFinished(folder: string, name: string): Promise<boolean> {
  const manifest = await readManifest(folder, name);
  const found = await stat(join(folder, name)).catch(() => undefined);
  return manifest !== undefined && found?.isFile() === true && found.size === manifest.bytes;
}

/** How a shard is found. */
export type ShardState =
  | { readonly kind: "finished"; readonly manifest: Manifest }
  | { readonly kind: "missing" }
  /** There is a file, but not as its manifest says. */
  | { readonly kind: "damaged" };

/** Looks at a shard, all of its bytes included. */
export async function stateOfShard(folder: string, name: string): Promise<ShardState> {
  const path = join(folder, name);
  const found = await stat(path).catch(() => undefined);
  const manifest = await readManifest(folder, name);
  if (found === undefined && manifest === undefined) return { kind: "missing" };
  // A process that was ended between the two: nothing is wrong with the file, but nobody says so.
  if (manifest === undefined) {
    const hasManifest = await stat(join(folder, manifestName(name))).catch(() => undefined);
    return { kind: hasManifest === undefined ? "missing" : "damaged" };
  }
  if (found?.size !== manifest.bytes) return { kind: "damaged" };
  return (await sha256OfFile(path)) === manifest.sha256
    ? { kind: "finished", manifest }
    : { kind: "damaged" };
}
