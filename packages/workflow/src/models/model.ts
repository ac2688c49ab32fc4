import { stat } from "node:fs/promises";
import type { HistoryStep } from "@nasty/compression";
import type { Tensor } from "@nasty/core";
import { openSession, type Session } from "@nasty/runtime";
import {
  type BatchOptions,
  entities,
  type Entity,
  type EntityOptions,
  type LabelChoice,
  type SentenceOptions,
  type TaggedSentence,
  type Tagger,
  tagText,
  type Task,
} from "@nasty/taggers";
import { openFound } from "@nasty/taggers/node";
import {
  type TextSettings,
  type Classification,
  classifyTexts,
  embedTexts,
  makeTextModel,
  type ModelKindName,
  type TextBatchOptions,
  type TextModel,
  type TextSample,
} from "@nasty/taggers/texts";
import { InputError } from "../errors.js";
import { chosen, type LoadChoice, type LoadedModel, loadModel, reasonOf } from "./load-model.js";
import { choiceOf } from "../texts/label-choice.js";
import { compressedModel, historyOfFile } from "./model-history.js";
import type { SharedModel } from "./open-models.js";
import type { OpenModel, OpenModelOptions } from "./open-tagger.js";

/** How a model is opened. */
export interface OpenOptions extends LabelChoice {
  /** Threads of the runtime. Default 1. */
  readonly threads?: number | undefined;
}

/**
 * A model that is open: its graph, its tagger and its history are read once, and its session is opened with the first
 * sentence that is tagged. Operations that are given it use what it has read, and its session where they are to run it
 * as it was opened; none of them changes it. Close it when it is not needed any more (`await using` does).
 */
export class Model implements AsyncDisposable, SharedModel {
  /** What was opened: a model file or a Hugging Face directory. */
  readonly path: string;
  /** The file itself. */
  readonly modelPath: string;
  /** Of the file and the data files that its weights are in. */
  readonly bytes: number;
  /** What it is for, which says what it can be asked: `tagText`, `classify`, `embed`; `run` of all. */
  readonly kind: ModelKindName;
  /** Of taggers only. */
  readonly task: Task | undefined;
  /** How the file was made, oldest step first. */
  readonly history: readonly HistoryStep[];
  /** What was made good or is missing in the files beside it, a sentence each. */
  readonly notes: readonly string[];
  private readonly options: OpenOptions;
  private readonly read: LoadedModel;
  private readonly stamp: string;
  private session: Promise<OpenModel> | undefined;
  private graph: Promise<Session> | undefined;
  private texts: Promise<TextModel> | undefined;

  /** {@link openModel} makes one. */
  constructor(
    loaded: LoadedModel,
    {
      history,
      stamp,
      options,
    }: { readonly history: readonly HistoryStep[]; readonly stamp: string; readonly options: OpenOptions },
  ) {
    this.path = loaded.path;
    this.modelPath = loaded.modelPath;
    this.bytes = loaded.modelBytes;
    this.kind = loaded.tagger === undefined ? (loaded.text?.kind ?? "graph") : "token-classification";
    this.task = loaded.tagger?.task;
    this.notes = loaded.notes;
    this.history = history;
    this.options = options;
    this.read = loaded;
    this.stamp = stamp;
  }

  /**
   * The tagger in its session, opened once; {@link Model.close} closes it.
   *
   * @throws InputError for a model that has no labels and tokenizer
   */
  async tagger(): Promise<Tagger> {
    return (await this.open()).tagger;
  }

  /** What an operation works on; see {@link SharedModel}. */
  async loaded(choice: LoadChoice): Promise<LoadedModel | undefined> {
    return (await this.hasChanged()) ? undefined : { ...chosen(this.read, choice), isShared: true };
  }

  /** What an operation tags with; see {@link SharedModel}. */
  async opened({ threads, task, scheme }: OpenModelOptions): Promise<OpenModel | undefined> {
    const { options } = this;
    const isAlike =
      threads === (options.threads ?? 1) &&
      (task ?? options.task) === options.task &&
      (scheme ?? options.scheme) === options.scheme;
    return !isAlike || this.task === undefined || (await this.hasChanged()) ? undefined : this.open();
  }

  private open(): Promise<OpenModel> {
    const { path, modelPath, model, tagger: settings, notes } = this.read;
    if (settings === undefined) {
      throw new InputError(
        `openModel: ${path}: tagger: expected labels and a tokenizer in the file or beside it, got none${reasonOf(this)}; give the Hugging Face directory`,
      );
    }
    const { threads = 1 } = this.options;
    this.session ??= openFound({ modelPath, settings, model, notes }, { threads });
    return this.session;
  }

  private async hasChanged(): Promise<boolean> {
    return (await stampOf(this.modelPath)) !== this.stamp;
  }

  /** Tags raw text, a sentence at a time. */
  async *tagText(text: string, options: BatchOptions & SentenceOptions = {}): AsyncGenerator<TaggedSentence> {
    yield* tagText(await this.tagger(), text, options);
  }

  /** The entities of raw text, with type, offsets and probability; see `entities` of @nasty/taggers. */
  async *entities(text: string, options: EntityOptions & SentenceOptions = {}): AsyncGenerator<Entity> {
    yield* entities(await this.tagger(), text, options);
  }

  /**
   * What a classifier says of texts, in their order.
   *
   * @throws InputError for a model that is no classifier of texts
   */
  async *classify(texts: GivenTexts, options?: TextBatchOptions): AsyncGenerator<Classification> {
    yield* classifyTexts(await this.textModel("sequence-classification"), samplesOf(texts), options);
  }

  /**
   * The vectors of texts, in their order: pooled, and normalized where the model's files say so.
   *
   * @throws InputError for a model that makes no vectors of texts
   */
  async *embed(texts: GivenTexts, options?: TextBatchOptions): AsyncGenerator<Float32Array> {
    yield* embedTexts(await this.textModel("feature-extraction"), samplesOf(texts), options);
  }

  /**
   * Runs the graph of any model once.
   *
   * @param feeds all inputs by name
   * @param outputs those wanted; all unless given
   * @throws RuntimeError for inputs that are missing, unknown, or of another type or shape
   */
  async run(
    feeds: Readonly<Record<string, Tensor>>,
    outputs?: readonly string[],
  ): Promise<Record<string, Tensor>> {
    return (await this.wholeGraph()).run(feeds, outputs);
  }

  private async textModel(kind: TextSettings["kind"]): Promise<TextModel> {
    const { text } = this.read;
    if (text === undefined || text.kind === "graph" || text.kind !== kind) {
      throw new InputError(
        `openModel: ${this.path}: kind: expected ${kind}, got ${this.kind}${reasonOf(this)}; give the Hugging Face directory of such a model`,
      );
    }
    this.texts ??= this.wholeGraph().then((session) => makeTextModel(session, text));
    return this.texts;
  }

  private wholeGraph(): Promise<Session> {
    const { threads = 1 } = this.options;
    this.graph ??= openSession(this.modelPath, { threads });
    return this.graph;
  }

  async close(): Promise<void> {
    const [opened, graph] = await Promise.all(
      [this.session, this.graph].map((opening) => opening?.catch(() => undefined)),
    );
    this.session = undefined;
    this.graph = undefined;
    this.texts = undefined;
    if (opened !== undefined && "tagger" in opened) await opened.tagger.close();
    if (graph !== undefined && "close" in graph) await graph.close();
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
  const loaded = await loadModel(path, choiceOf(options));
  const history = historyOfFile(loaded.model, await compressedModel(loaded.modelPath));
  return new Model(loaded, { history, stamp: await stampOf(loaded.modelPath), options });
}

/** One text or several, alone or in pairs. */
export type GivenTexts = string | Iterable<string | TextSample> | AsyncIterable<string | TextSample>;

async function* samplesOf(texts: GivenTexts): AsyncGenerator<TextSample> {
  if (typeof texts === "string") {
    yield { text: texts };
    return;
  }
  for await (const one of texts) yield typeof one === "string" ? { text: one } : one;
}

/** What changes when a file is written or replaced. */
async function stampOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? "gone" : [found.dev, found.ino, found.size, found.mtimeMs].join(" ");
}
