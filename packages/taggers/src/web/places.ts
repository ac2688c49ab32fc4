import { unpacked } from "@nasty/formats/archive";
import type { FolderFiles } from "@nasty/formats/hf";
import { TaggerError } from "../tagger-error.js";
import { type DownloadOptions, download, type Download } from "./download.js";

/** A file as it is where it lies, perhaps packed. */
export interface PlacedFile {
  /** Its name or address. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Whether its packing was taken off on the way. */
  readonly isDecoded: boolean;
}

/** Where model files lie: a folder at an address, or files by their names. */
export interface Place {
  /** What messages call it. */
  readonly name: string;
  /** What messages call a file of it. */
  pathOf(name: string): string;
  /** @returns undefined where there is no such file */
  file(name: string): Promise<PlacedFile | undefined>;
}

/** A folder at an address; what was downloaded is in `downloads`. */
export function placeAt(base: URL, options: DownloadOptions, downloads: Map<string, Download>): Place {
  const asked = new Map<string, Promise<PlacedFile | undefined>>();
  const pathOf = (name: string): string => addressOf(base, name);
  const load = async (name: string): Promise<PlacedFile | undefined> => {
    const url = pathOf(name);
    const found = downloads.get(url) ?? (await download(url, options));
    if (found === undefined) return undefined;
    downloads.set(url, found);
    return { name: url, bytes: found.bytes, isDecoded: found.isDecoded };
  };
  return {
    name: base.href,
    pathOf,
    file(name) {
      const known = asked.get(name) ?? load(name);
      asked.set(name, known);
      return known;
    },
  };
}

/** The address of a file of a folder, which keeps the folder's query: it may hold what lets one in. */
function addressOf(base: URL, name: string): string {
  const url = new URL(base);
  const folder = url.pathname.replace(/[^/]*$/, "");
  url.pathname = folder + name.split("/").map(encodeURIComponent).join("/");
  return url.href;
}

/** Files by their paths in a folder that was dropped or chosen, below the folder that they share. */
export function placeOfFiles(files: ReadonlyMap<string, Blob>): Place {
  const root = sharedFolder([...files.keys()]);
  return {
    name: root === "" ? "the files" : root.slice(0, -1),
    pathOf: (name) => root + name,
    async file(name) {
      const found = files.get(root + name);
      if (found === undefined) return undefined;
      return { name: root + name, bytes: new Uint8Array(await found.arrayBuffer()), isDecoded: false };
    },
  };
}

/** The folder that holds `config.json`, or the model: the shallowest. */
function sharedFolder(paths: readonly string[]): string {
  const folderOf = (path: string): string => path.replace(/[^/]*$/, "");
  const byDepth = paths.toSorted((a, b) => a.split("/").length - b.split("/").length);
  const config = byDepth.find((path) => path.split("/").at(-1) === "config.json");
  if (config !== undefined) return folderOf(config);
  const model = byDepth.find((path) => /\.onnx(?:\.gz|\.br)?$/i.test(path)) ?? byDepth[0];
  return folderOf(model ?? "").replace(/onnx\/$/, "");
}

/** The small files of a place as the readers of Hugging Face directories want them, unpacked. */
export function folderFiles(place: Place): FolderFiles {
  return {
    folder: place.name,
    pathOf: (name) => place.pathOf(name),
    has: async (name) => (await place.file(name)) !== undefined,
    async read(name) {
      const file = await place.file(name);
      if (file !== undefined) return unpacked(file.bytes);
      const path = place.pathOf(name);
      throw new TaggerError("not-found", `openTagger: ${path}: file: expected it, got none`, { path });
    },
  };
}
