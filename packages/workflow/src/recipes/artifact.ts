import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Artifact } from "@nasty/compression/pipeline";
import { isHfDirectory, openModelFolder } from "@nasty/formats/hf/node";
import { sha256OfFile } from "../files/file-hash.js";
import { bytesOfModel } from "../models/model-bytes.js";

/**
 * A file, or a folder with everything in it, by its content; the bytes are those of the model file, wherever that is.
 */
export async function artifactOf(path: string): Promise<Artifact> {
  const found = await stat(path);
  return { path, ...(found.isDirectory() ? await folder(path) : await file(path, found.size)) };
}

/** Whether it is still there as it was. */
export async function isUnchanged(artifact: Artifact): Promise<boolean> {
  try {
    return (await artifactOf(artifact.path)).sha256 === artifact.sha256;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
    throw error;
  }
}

type Content = Omit<Artifact, "path">;

async function file(path: string, bytes: number): Promise<Content> {
  const sha256 = await sha256OfFile(path);
  // Models of 2 GB and more have their weights in a second file.
  const weights = `${path}.data`;
  const size = (await stat(weights).catch(() => undefined))?.size;
  if (size === undefined) return { bytes, sha256 };
  return { bytes: bytes + size, sha256: hashOf([sha256, await sha256OfFile(weights)]) };
}

async function folder(path: string): Promise<Content> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  let bytes = 0;
  const parts: string[] = [];
  for (const name of names) {
    bytes += (await stat(name)).size;
    parts.push(name.slice(path.length), await sha256OfFile(name));
  }
  return { bytes: (await modelBytes(path)) ?? bytes, sha256: hashOf(parts) };
}

async function modelBytes(path: string): Promise<number | undefined> {
  if (!(await isHfDirectory(path))) return undefined;
  return bytesOfModel((await openModelFolder(path)).modelPath()).catch(() => undefined);
}

/** SHA-256 over several texts, hexadecimal. */
export function hashOf(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
