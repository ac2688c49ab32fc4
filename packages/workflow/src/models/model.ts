import type { HistoryStep } from "@nasty/compression";
import { type LabelChoice, type TaggedSentence, type Tagger, tagText, type Task } from "@nasty/taggers";
import type { BatchOptions, SentenceOptions } from "@nasty/taggers";
import { compressedModel, historyOfFile } from "./model-history.js";
import { type LoadedModel, loadModel } from "./load-model.js";
import { openModel as openSession } from "./open-tagger.js";
import { InputError } from "../errors.js";

/** How a model is opened. */
export interface OpenOptions extends LabelChoice {
  /** Threads of the runtime. Default 1. */
  readonly threads?: number | undefined;
}

/** What an operation may be given for a model: one that is open, what another operation wrote, or a path. */
export type ModelLike = Model | { readonly path: string } | string;

/**
 * A model that is open: its graph, its tagger and its history are read once, and its session is opened with the first sentence that is
 * tagged. Close it when it is not needed any more (`await using` does).
 */
export class Model implements AsyncDisposable {
  /** What was opened: a model file or a Hugging Face directory. */
  readonly path: string;
  /** The file itself. */
  readonly modelPath: string;
  /** Of the file and the data files that its weights are in. */
  readonly bytes: number;
  /** Undefined for a model without labels and tokenizer. */
  readonly task: Task | undefined;
  /** How the file was made, oldest step first. */
  readonly history: readonly HistoryStep[];
  /** What was made good or is missing in the files beside it, a sentence each. */
  readonly notes: readonly string[];
  private readonly options: OpenOptions;
  private session: Promise<Tagger> | undefined;

  /** {@link openModel} makes one. */
  constructor(loaded: LoadedModel, history: readonly HistoryStep[], options: OpenOptions) {
    this.path = loaded.path;
    this.modelPath = loaded.modelPath;
    this.bytes = loaded.modelBytes;
    this.task = loaded.tagger?.task;
    this.notes = loaded.notes;
    this.history = history;
    this.options = options;
  }

  /**
   * The tagger in its session, opened once; {@link Model.close} closes it.
   *
   * @throws InputError for a model that has no labels and tokenizer
   */
  tagger(): Promise<Tagger> {
    if (this.task === undefined) {
      const why = this.notes.length === 0 ? "" : ` (${this.notes.join(". ")})`;
      throw new InputError(
        `openModel: ${this.path}: tagger: expected labels and a tokenizer in the file or beside it, got none${why}; give the Hugging Face directory`,
      );
    }
    const { threads = 1, task, scheme } = this.options;
    this.session ??= openSession(this.path, {
      threads,
      ...(task !== undefined && { task }),
      ...(scheme !== undefined && { scheme }),
    }).then(({ tagger }) => tagger);
    return this.session;
  }

  /** Tags raw text, a sentence at a time. */
  async *tagText(text: string, options: BatchOptions & SentenceOptions = {}): AsyncGenerator<TaggedSentence> {
    yield* tagText(await this.tagger(), text, options);
  }

  async close(): Promise<void> {
    const session = await this.session?.catch(() => undefined);
    this.session = undefined;
    await session?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Opens a model file (`.onnx`, `.onnx.gz`, `.onnx.br`) or a Hugging Face directory.
 *
 * @throws InputError, or an error of a package, for a file that is none; a model without a tagger opens, and cannot tag
 *
 * @example
 * ```ts
 * await using model = await openModel("models/pos");
 * for await (const { words } of model.tagText("Time flies.")) console.log(words);
 * ```
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<Model> {
  const { task, scheme } = options;
  const loaded = await loadModel(path, {
    ...(task !== undefined && { task }),
    ...(scheme !== undefined && { scheme }),
  });
  const history = historyOfFile(loaded.model, await compressedModel(loaded.modelPath));
  return new Model(loaded, history, options);
}

/** The path of a model that an operation was given; undefined for what is none. */
export function pathOfModel(given: unknown): string | undefined {
  if (typeof given === "string") return given;
  if (typeof given !== "object" || given === null || !("path" in given)) return undefined;
  return typeof given.path === "string" ? given.path : undefined;
}
