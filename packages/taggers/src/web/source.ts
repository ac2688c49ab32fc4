import {
  parseModelConfig,
  isModelVariant,
  modelFileName,
  type ModelVariant,
  modelVariants,
} from "@nasty/formats/hf";
import { compressionOfName } from "@nasty/formats/archive";
import { checkVariant } from "../check-variant.js";
import { TaggerError } from "../tagger-error.js";
import { type Download, download, type DownloadOptions } from "./download.js";
import { type Place, placeAt, type PlacedFile, placeOfFiles } from "./places.js";

/**
 * A tagger's model: the address of a model file or of a Hugging Face directory, a file, bytes, or the files of a
 * directory by their paths in it (as a page gets them where a folder is dropped or chosen).
 */
export type TaggerSource = string | URL | Blob | Uint8Array | ArrayBuffer | ReadonlyMap<string, Blob>;

/** The model's file, and the folders that may hold what it lacks, the likeliest first. */
export interface Located {
  readonly file: PlacedFile;
  /** Where files beside the model lie. */
  readonly beside: Place | undefined;
  /** Whether the model was chosen of a directory, whose small files count more than what the model carries. */
  readonly isDirectory: boolean;
  readonly folders: readonly Place[];
  /** What was downloaded, by address. */
  readonly downloads: ReadonlyMap<string, Download>;
}

export interface LocateOptions extends DownloadOptions {
  /**
   * Which model file of a Hugging Face directory: `fp32`, `q8`, `q4`, … as transformers.js calls them; without it the
   * plainest.
   */
  readonly variant?: string | undefined;
}

const isModelName = (name: string): boolean => /\.onnx(?:\.gz|\.br)?$/i.test(name);

/** Finds the model's file of a source. */
export async function locate(source: TaggerSource, options: LocateOptions): Promise<Located> {
  if (typeof source === "string" || source instanceof URL) return locateAddress(source, options);
  if (source instanceof Map) return locateFiles(source as ReadonlyMap<string, Blob>, options);
  const [name, bytes] = await bytesOf(source as Blob | Uint8Array | ArrayBuffer);
  const file = { name, bytes, isDecoded: false };
  return { file, beside: undefined, isDirectory: false, folders: [], downloads: new Map() };
}

async function bytesOf(source: Blob | Uint8Array | ArrayBuffer): Promise<[string, Uint8Array]> {
  if (source instanceof Uint8Array) return ["model bytes", source];
  if (source instanceof ArrayBuffer) return ["model bytes", new Uint8Array(source)];
  if (source instanceof Blob) {
    const name = (source as Partial<File>).name ?? "model bytes";
    return [name, new Uint8Array(await source.arrayBuffer())];
  }
  throw new TaggerError(
    "not-found",
    `openTagger: source: expected an address, a File, bytes or a Map of files, got ${source === null ? "null" : typeof source}`,
  );
}

async function locateAddress(address: string | URL, options: LocateOptions): Promise<Located> {
  const url = urlOf(address);
  const downloads = new Map<string, Download>();
  const name = url.pathname.split("/").at(-1) ?? "";
  // A bundler may have put a hash before the packing: model.onnx-5f3c.gz.
  const isPacked = compressionOfName(name) !== undefined;
  const isFile = isModelName(name) || isPacked || !/^https?:$/.test(url.protocol);
  const folder = name === "" ? url : withPath(url, `${url.pathname}/`);
  const place = placeAt(isFile ? url : folder, options, downloads);
  if (!isFile && (name === "" || (await hasConfig(place)))) {
    return { ...(await modelOf(place, options)), downloads };
  }
  const own = placeAt(url, options, downloads);
  const file = /^https?:$/.test(url.protocol)
    ? await own.file(decodeURIComponent(name))
    : await plain(url, options);
  if (file === undefined) throw missing(url.href, "a model file or a Hugging Face directory", "none");
  const above = placeAt(withPath(url, url.pathname.replace(/[^/]*\/[^/]*$/, "")), options, downloads);
  const folders = /^https?:$/.test(url.protocol) ? [own, above] : [];
  return { file, beside: folders[0], isDirectory: false, folders, downloads };
}

/** A `blob:` or `data:` address has no folder. */
async function plain(url: URL, options: LocateOptions): Promise<PlacedFile | undefined> {
  const found = await download(url.href, options);
  return found && { name: `${url.protocol} address`, bytes: found.bytes, isDecoded: found.isDecoded };
}

function urlOf(address: string | URL): URL {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  try {
    return new URL(address, base);
  } catch (cause) {
    throw new TaggerError(
      "not-found",
      `openTagger: ${String(address)}: address: expected an absolute one where there is no page, got a relative one`,
      { path: String(address), cause },
    );
  }
}

function withPath(url: URL, path: string): URL {
  const changed = new URL(url);
  changed.pathname = path;
  return changed;
}

/** Servers of single-page applications answer with a page where there is no file. */
async function hasConfig(place: Place): Promise<boolean> {
  const file = await place.file("config.json");
  return file !== undefined && file.bytes.find((byte) => byte > 0x20) === 0x7b;
}

async function locateFiles(files: ReadonlyMap<string, Blob>, options: LocateOptions): Promise<Located> {
  const place = placeOfFiles(files);
  const downloads = new Map<string, Download>();
  const models = [...files.keys()].filter(isModelName);
  // A file under a name of its own, alone or with what it lacks beside it.
  if (options.variant === undefined && models.length === 1) {
    const [name] = models as [string];
    const bytes = new Uint8Array(await (files.get(name) as Blob).arrayBuffer());
    const beside = placeOfFiles(new Map([...files].filter(([path]) => folderOf(path) === folderOf(name))));
    const hasSmallFiles = (await place.file("config.json")) !== undefined;
    return {
      file: { name, bytes, isDecoded: false },
      beside,
      isDirectory: hasSmallFiles,
      folders: [place],
      downloads,
    };
  }
  return { ...(await modelOf(place, options)), downloads };
}

const folderOf = (path: string): string => path.replace(/[^/]*$/, "");

/** The model file of a directory: of its names the first that is there. */
async function modelOf(
  place: Place,
  { variant }: LocateOptions,
): Promise<Pick<Located, "file" | "beside" | "isDirectory" | "folders">> {
  const wanted = checkVariant(variant);
  const order =
    wanted === undefined
      ? [...new Set(["fp32" as const, ...(await preferred(place)), ...modelVariants])]
      : [wanted];
  for (const each of order) {
    for (const folder of ["onnx/", ""]) {
      for (const packing of ["", ".gz", ".br"]) {
        const file = await place.file(`${folder}${modelFileName(each)}${packing}`);
        if (file === undefined) continue;
        const beside: Place = { ...place, file: (name) => place.file(folder + name) };
        return { file, beside, isDirectory: true, folders: [place] };
      }
    }
  }
  const expected = modelFileName(wanted ?? "fp32");
  throw missing(place.name, `onnx/${expected} or ${expected}`, "neither");
}

async function preferred(place: Place): Promise<ModelVariant[]> {
  const config = await place.file("config.json");
  try {
    const dtype = config && parseModelConfig(new TextDecoder().decode(config.bytes)).preferredDtype;
    return dtype !== undefined && isModelVariant(dtype) ? [dtype] : [];
  } catch {
    // Who reads the settings says what is wrong with it.
    return [];
  }
}

function missing(path: string, expected: string, got: string): TaggerError {
  return new TaggerError("not-found", `openTagger: ${path}: model: expected ${expected}, got ${got}`, {
    path,
  });
}
