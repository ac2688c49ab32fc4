import { isHfDirectory, openModelFolder } from "@nasty/formats/hf/node";
import { readModelFile } from "@nasty/formats/onnx/node";
import { checkFiniteWeights } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import { findText } from "@nasty/taggers/node";
import type { TextSettings, ModelKindName } from "@nasty/taggers/texts";
import { UsageError } from "../errors.js";
import { isFeedFile } from "../feeds/read-feeds.js";
import { optionalTagger } from "../models/load-model.js";
import { type OpenModel, type OpenModelOptions, openModel } from "../models/open-tagger.js";
import { kindFor } from "./find-kind.js";
import type { Reading, Subject } from "./kind.js";
import { taggerReading, taggerSubject } from "./tagger-kind.js";

/** A model file that is open, asked as those of its kind are, and how its data are read. */
export interface OpenSubject {
  readonly path: string;
  readonly modelPath: string;
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
 * Opens a model for the data that it is to be asked with: as a tagger, a model of texts, or a graph that is fed.
 *
 * @param files the data; none where they are made
 * @throws as `openTaggerFile` for a model without labels and tokenizer that is given text
 */
export async function openSubject(
  path: string,
  options: OpenModelOptions,
  files: readonly string[] = [],
): Promise<OpenSubject> {
  const other = await otherKind(path, files);
  if (other === undefined) {
    const opened = await openModel(path, options);
    const { modelPath, notes, tagger, session } = opened;
    const reading = taggerReading({ task: tagger.task }) as unknown as Reading;
    const subject = taggerSubject(tagger, { session }) as unknown as Subject;
    return { path, modelPath, kind: reading.name, reading, subject, opened, text: undefined, notes };
  }
  const { modelPath, kind, text, notes } = other;
  const subject = await kind.inSession(await openSession(modelPath, { threads: options.threads }));
  if (subject === undefined) throw new TypeError(`open ${path}: expected a model of one session`);
  const { session } = subject;
  const own: Subject = { ...subject, close: async () => session?.close() };
  return { path, modelPath, kind: kind.name, reading: kind, subject: own, opened: undefined, text, notes };
}

/** What is no tagger for these data; undefined for what is, or for want of which it is refused. */
async function otherKind(path: string, files: readonly string[]) {
  const isDirectory = await isHfDirectory(path);
  const modelPath = isDirectory ? (await openModelFolder(path)).modelPath() : path;
  const model = await readModelFile(modelPath);
  const found = await findText(path, model);
  const isFed = files.length > 0 && files.every((file) => isFeedFile(file));
  if (found === undefined && !isFed) {
    const { settings } = await optionalTagger(path, isDirectory ? undefined : model);
    if (settings !== undefined || files.length > 0) return undefined;
  }
  checkFiniteWeights(model, `openModel: ${modelPath}`);
  const kind = await kindFor({ model, tagger: undefined, text: found?.settings }, files);
  const settings = found?.settings;
  const text = kind.name === "graph" || settings?.kind === "graph" ? undefined : settings;
  return { modelPath, kind, text, notes: found?.notes ?? [] };
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
