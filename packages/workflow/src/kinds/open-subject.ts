import { isHfDirectory, openModelFolder, readUnchanged } from "@nasty/formats/hf/node";
import { readModelFile } from "@nasty/formats/onnx/node";
import { checkFiniteWeights } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import { findText } from "@nasty/taggers/node";
import type { TextSettings, ModelKindName } from "@nasty/taggers/texts";
import { UsageError } from "../errors.js";
import { isFeedFile } from "../feeds/read-feeds.js";
import { precisionOfModel } from "../comparison/precision.js";
import { type LoadedModel, optionalTagger } from "../models/load-model.js";
import { bytesOfModel } from "../models/model-bytes.js";
import { ofOpenModel } from "../models/open-models.js";
import { type OpenModel, type OpenModelOptions, openModel } from "../models/open-tagger.js";
import { kindFor } from "./find-kind.js";
import type { Reading, Subject } from "./kind.js";
import { taggerReading, taggerSubject } from "./tagger-kind.js";

/** A model file that is open, asked as those of its kind are, and how its data are read. */
export interface OpenSubject {
  readonly path: string;
  readonly modelPath: string;
  readonly modelBytes: number;
  /** What most of its weights are stored as, by count: `Float32`, `INT8`, `INT4`, … */
  readonly precision: string;
  readonly kind: ModelKindName;
  readonly reading: Reading;
  readonly subject: Subject;
  /** Of taggers only. */
  readonly opened: OpenModel | undefined;
  /** Of classifiers and encoders of texts only. */
  readonly text: TextSettings | undefined;
  readonly notes: readonly string[];
}

/**
 * Opens a model for the data that it is to be asked with: as a tagger, a model of texts, or a graph that is fed. Its
 * file is read once, and not at all where the program has it open.
 *
 * @param files the data; none where they are made
 * @throws as `openTaggerFile` for a model without labels and tokenizer that is given text
 */
export async function openSubject(
  path: string,
  options: OpenModelOptions,
  files: readonly string[] = [],
): Promise<OpenSubject> {
  const shared = await ofOpenModel(path, (model) => model.loaded({}));
  const open = async (): Promise<OpenSubject> => {
    const { modelPath, model } = shared ?? (await readOnce(path));
    const found = await kindOfFile(path, { model, modelPath }, files);
    const file = {
      path,
      modelPath,
      modelBytes: await bytesOfModel(modelPath, model),
      precision: precisionOfModel(model),
    };
    if (found.kind === undefined) {
      const { settings, notes } = found;
      const known = shared === undefined && settings !== undefined && { modelPath, model, settings, notes };
      return { ...file, ...taggerOpened(await openModel(path, options, known || undefined)) };
    }
    const { kind, text, notes } = found;
    const subject = await kind.inSession(await openSession(modelPath, { threads: options.threads }));
    if (subject === undefined) throw new TypeError(`open ${path}: expected a model of one session`);
    const { session } = subject;
    const own: Subject = { ...subject, close: async () => session?.close() };
    return { ...file, kind: kind.name, reading: kind, subject: own, opened: undefined, text, notes };
  };
  return shared === undefined ? readUnchanged(path, open, ({ subject }) => subject.close()) : open();
}

function taggerOpened(
  opened: OpenModel,
): Omit<OpenSubject, "path" | "modelPath" | "modelBytes" | "precision"> {
  const { notes, tagger, session } = opened;
  const reading = taggerReading(tagger) as unknown as Reading;
  const subject = taggerSubject(tagger, { session }) as unknown as Subject;
  return { kind: reading.name, reading, subject, opened, text: undefined, notes };
}

async function readOnce(path: string): Promise<Pick<LoadedModel, "modelPath" | "model">> {
  const modelPath = (await isHfDirectory(path)) ? (await openModelFolder(path)).modelPath() : path;
  return { modelPath, model: await readModelFile(modelPath) };
}

/** What is no tagger for these data has a kind; what is one has settings, and what is refused for want of them none. */
async function kindOfFile(
  path: string,
  { model, modelPath }: Pick<LoadedModel, "model" | "modelPath">,
  files: readonly string[],
) {
  const found = await findText(path, model);
  const isFed = files.length > 0 && files.every((file) => isFeedFile(file));
  if (found === undefined && !isFed) {
    const tagger = await optionalTagger(path, (await isHfDirectory(path)) ? undefined : model);
    if (tagger.settings !== undefined || files.length > 0) return { kind: undefined, ...tagger };
  }
  checkFiniteWeights(model, `openModel: ${modelPath}`);
  const kind = await kindFor({ model, tagger: undefined, text: found?.settings }, files);
  const settings = found?.settings;
  const text = kind.name === "graph" || settings?.kind === "graph" ? undefined : settings;
  return { kind, text, notes: found?.notes ?? [] };
}

/**
 * Opens several models of one kind, side by side for as long as they are used.
 *
 * @throws UsageError for models of two kinds
 */
export async function withSubjects<T>(
  paths: readonly string[],
  options: OpenModelOptions,
  { files, operation }: { readonly files: readonly string[]; readonly operation: string },
  use: (open: readonly [OpenSubject, ...OpenSubject[]]) => Promise<T>,
): Promise<T> {
  const open: OpenSubject[] = [];
  try {
    for (const path of paths) {
      const one = await openSubject(path, options, files);
      open.push(one);
      const [first] = open as [OpenSubject];
      if (one.kind === first.kind) continue;
      throw new UsageError(
        `${operation}: ${path}: kind: expected ${first.kind} as ${first.path}, got ${one.kind}; compare two forms of one model`,
      );
    }
    return await use(open as [OpenSubject, ...OpenSubject[]]);
  } finally {
    for (const { subject } of open) await subject.close();
  }
}
