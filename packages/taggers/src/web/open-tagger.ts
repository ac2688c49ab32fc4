import { compressionOfName, uncompressedName } from "@nasty/formats/archive";
import { readSmallFiles } from "@nasty/formats/hf";
import { FormatError, type ModelProto, type UnpackedModel, unpackModel } from "@nasty/formats/onnx";
import { checkFiniteWeights } from "@nasty/graph";
import { openSession, type WebSessionOptions } from "@nasty/runtime/web";
import { withChoice } from "../label-choice.js";
import { makeTagger } from "../make-tagger.js";
import { openNeuralTagger } from "../neural/neural-tagger.js";
import { TaggerError } from "../tagger-error.js";
import type { Tagger } from "../tagger.js";
import { readTaggerSettings, type TaggerSettings } from "../tagger-settings.js";
import type { LabelChoice } from "../task.js";
import { settingsFromHf } from "../transformer/settings.js";
import { folderFiles } from "./places.js";
import { type Located, locate, type LocateOptions, type TaggerSource } from "./source.js";

/** Where a model lies, how it is downloaded, and what its labels are said to be. */
export interface LoadTaggerOptions extends LocateOptions, LabelChoice {}

export interface OpenWebTaggerOptions extends LoadTaggerOptions, WebSessionOptions {
  /** Refuses weights that are not finite. Default true. */
  readonly checkWeights?: boolean;
}

/** A tagger of a page. */
export interface WebTagger extends Tagger {
  /** Bytes of the `.onnx` file itself, unpacked. */
  readonly modelBytes: number;
}

/** A model with what its tagger needs, not opened yet. */
export interface LoadedTagger {
  /** Name or address of the model's file. */
  readonly name: string;
  readonly model: ModelProto;
  /** The file as it came, packed or not. */
  readonly file: Uint8Array;
  /** The `.onnx` file itself, unpacked. */
  readonly bytes: Uint8Array;
  readonly settings: TaggerSettings;
  /** What was made good in the files of its directory, a sentence each. */
  readonly notes: readonly string[];
}

/** A model, with the settings of its tagger where it has one. */
export interface LoadedModel extends Omit<LoadedTagger, "settings"> {
  readonly settings: TaggerSettings | undefined;
  /** Why it has no tagger, where it has none. */
  readonly reason: string | undefined;
}

/**
 * Opens a tagger in a browser, in a worker or not: from an address, a file, bytes or the files of a folder.
 *
 * A model file (gzip and brotli are unpacked) carries its tagger, or `config.json` and `tokenizer.json` lie beside it
 * or one folder above. An address whose last part is no `.onnx` file is one of a Hugging Face directory, if it has a
 * `config.json`. What is downloaded is kept in the Cache API once the tagger is open.
 *
 * The portable engine computes, unless `ort` says which ONNX Runtime package the page carries.
 *
 * @param options see {@link OpenWebTaggerOptions}
 * @throws TaggerError `download`, `not-found`, `tokenizer-missing`, and as `openTagger` of the Node entry; FormatError
 *   for files that cannot be read; RuntimeError as `openSession`; the signal's reason
 * @example
 * ```ts
 * import * as ort from "onnxruntime-web/wasm";
 * const tagger = await openTagger(posInt8, { ort });
 * for await (const labels of tagger.tag([["Time", "flies"]])) labels; // ["NOUN", "VERB"]
 * await tagger.close();
 * ```
 */
export async function openTagger(
  source: TaggerSource,
  options: OpenWebTaggerOptions = {},
): Promise<WebTagger> {
  const located = await locate(source, options);
  const loaded = await settled(located, options);
  const tagger = await openLoaded(loaded, options);
  await Promise.all([...located.downloads.values()].map((one) => one.keep()));
  return { ...tagger, modelBytes: loaded.bytes.length };
}

/**
 * Finds and reads the model and the settings of a tagger, without opening a session.
 *
 * @throws as {@link openTagger}, but for sessions
 */
export async function loadTagger(
  source: TaggerSource,
  options: LoadTaggerOptions = {},
): Promise<LoadedTagger> {
  return settled(await locate(source, options), options);
}

/**
 * {@link loadTagger} of any model: one without labels and tokenizer is read too, and says why it has none.
 *
 * @throws FormatError for a file that is no model; TaggerError `download`, `not-found`; the signal's reason
 */
export async function loadModel(source: TaggerSource, options: LoadTaggerOptions = {}): Promise<LoadedModel> {
  const located = await locate(source, options);
  const read = await readModel(located);
  try {
    return { ...read, ...(await settingsOf(located, read.model, options)), reason: undefined };
  } catch (error) {
    if (!(error instanceof Error && "kind" in error && error.kind === "input")) throw error;
    return { ...read, settings: undefined, reason: error.message, notes: [] };
  }
}

/** Opens what {@link loadTagger} read. */
export async function openLoaded(
  { name, model, bytes, settings }: LoadedTagger,
  options: OpenWebTaggerOptions = {},
): Promise<Tagger> {
  const { checkWeights = true, signal } = options;
  const session: WebSessionOptions = sessionOptions(options);
  if (checkWeights) checkFiniteWeights(model, `openTagger: ${name}`);
  if (settings.kind === "neural") {
    const tagger = await openNeuralTagger(model, settings, (part) => openSession(part, session));
    return closedOnAbort(tagger, signal);
  }
  const open = await openSession(hasOwnWeights(model, bytes) ? bytes : model, session);
  try {
    return await closedOnAbort(await makeTagger(open, settings), signal);
  } catch (error) {
    await open.close();
    throw error;
  }
}

/** A tagger that nobody waits for any more is closed. */
async function closedOnAbort(tagger: Tagger, signal: AbortSignal | undefined): Promise<Tagger> {
  if (signal?.aborted !== true) return tagger;
  await tagger.close();
  throw signal.reason;
}

function sessionOptions({
  ort,
  engine,
  kernels,
  optimization,
  device,
  execution,
  config,
}: WebSessionOptions): WebSessionOptions {
  return {
    ...(ort !== undefined && { ort }),
    ...(engine !== undefined && { engine }),
    ...(kernels !== undefined && { kernels }),
    ...(optimization !== undefined && { optimization }),
    ...(device !== undefined && { device }),
    ...(execution !== undefined && { execution }),
    ...(config !== undefined && { config }),
  };
}

/** Whether the file's bytes are the whole model: weights that came from beside it are in the message alone. */
function hasOwnWeights({ graph }: ModelProto, bytes: Uint8Array): boolean {
  return (graph?.initializer ?? []).every(
    ({ rawData }) => rawData.length === 0 || rawData.buffer === bytes.buffer,
  );
}

async function settled(located: Located, options: LoadTaggerOptions): Promise<LoadedTagger> {
  const read = await readModel(located);
  options.signal?.throwIfAborted();
  return { ...read, ...(await settingsOf(located, read.model, options)) };
}

async function readModel({ file, beside }: Located): Promise<Omit<LoadedTagger, "settings" | "notes">> {
  const unpackedModel = await unpackPlaced(file, async (location) => {
    const found = await beside?.file(location);
    if (found !== undefined) return found.bytes;
    throw new Error(beside === undefined ? "the model alone" : "no such file");
  });
  return { name: file.name, file: file.bytes, ...unpackedModel };
}

/** Servers may take the packing of `.br` off on the way, and need not tell: then the bytes are the model itself. */
async function unpackPlaced(
  { name, bytes, isDecoded }: Located["file"],
  beside: (location: string) => Promise<Uint8Array>,
): Promise<UnpackedModel> {
  const path = pathOfAddress(name);
  const plainName = uncompressedName(path);
  if (isDecoded) return unpackModel(bytes, { name: plainName, beside });
  try {
    return await unpackModel(bytes, { name: path, beside });
  } catch (error) {
    const isBrotli = compressionOfName(path) === "brotli";
    if (!isBrotli || !(error instanceof FormatError) || error.code !== "compression") throw error;
    return unpackModel(bytes, { name: plainName, beside }).catch(() => {
      throw error;
    });
  }
}

/** An address without its query, which is no part of a file's name. */
function pathOfAddress(name: string): string {
  return /^https?:/.test(name) ? name.replace(/[?#].*$/, "") : name;
}

async function settingsOf(
  { file, folders, isDirectory }: Located,
  model: ModelProto,
  choice: LabelChoice,
): Promise<Pick<LoadedTagger, "settings" | "notes">> {
  const chosen = (settings: TaggerSettings) => withChoice(settings, choice, { where: file.name });
  const carried = isDirectory ? undefined : await readTaggerSettings(model);
  if (carried !== undefined) return { settings: chosen(carried), notes: [] };
  for (const place of folders) {
    if (!isDirectory && !(await isHfPlace(place))) continue;
    const parts = await readSmallFiles(folderFiles(place));
    return { settings: chosen(settingsFromHf(parts, place.name)), notes: parts.notes };
  }
  throw new TaggerError(
    "tokenizer-missing",
    `openTagger: ${file.name}: tagger: expected nasty.tagger metadata in the model, or config.json and tokenizer.json beside it or one folder above, got neither; give the model's Hugging Face directory`,
    { path: file.name },
  );
}

async function isHfPlace(place: Located["folders"][number]): Promise<boolean> {
  const files = folderFiles(place);
  if (!(await files.has("config.json"))) return false;
  return (await files.has("tokenizer.json")) || files.has("vocab.txt");
}
