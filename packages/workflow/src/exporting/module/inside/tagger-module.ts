import type { ModelProto } from "@nasty/formats/onnx";
import { openParsedModel } from "@nasty/portable";
import type { Session } from "@nasty/runtime";
import type { BatchOptions, LabelChoices, SentenceEntities, Tagger, TaggedSentence } from "@nasty/taggers";
import { sentenceEntities, tagText } from "@nasty/taggers";
import { readContent, type TaggerContent } from "./content.js";

/** What a module says of itself beside its functions, and its content. */
declare const nastyTagger: string;

/** Options of a call; the declarations that are written beside a module say what they mean. */
export interface TagOptions extends Pick<BatchOptions, "batchSize"> {
  readonly onePerLine?: boolean;
}

export interface ModuleSentence extends TaggedSentence, Partial<Pick<SentenceEntities, "entities">> {}

/** A tagger of a module. */
export interface ModuleTagger {
  tag(text: string, options?: TagOptions): Promise<ModuleSentence[]>;
  tagSentences(sentences: Iterable<readonly string[]>, options?: TagOptions): Promise<(readonly string[])[]>;
  close(): Promise<void>;
}

export interface CreateOptions {
  /** The compiled kernels, where the host may not compile while it runs. */
  readonly kernels?: object;
}

/** Makes a tagger of its settings around the sessions of its parts. */
export type TaggerMaker = (sessions: readonly Session[], content: TaggerContent) => Promise<Tagger>;

/** The functions that a module exports. */
export function taggerModule(makeTagger: TaggerMaker) {
  const createTagger = async ({ kernels }: CreateOptions = {}): Promise<ModuleTagger> => {
    const content = await readContent(nastyTagger, kernels !== undefined);
    const compiled = kernels ?? (await compile(content.kernels));
    const tagger = await makeTagger(
      content.parts.map((part) => sessionOf(part, compiled)),
      content,
    );
    return { tag: textTagger(tagger), tagSentences: sentenceTagger(tagger), close: () => tagger.close() };
  };
  let usual: Promise<ModuleTagger> | undefined;
  const shared = (): Promise<ModuleTagger> => {
    usual ??= createTagger();
    usual.catch(() => {
      usual = undefined;
    });
    return usual;
  };
  return {
    createTagger,
    tag: async (...given: Parameters<ModuleTagger["tag"]>) => (await shared()).tag(...given),
    tagSentences: async (...given: Parameters<ModuleTagger["tagSentences"]>) =>
      (await shared()).tagSentences(...given),
  };
}

interface Compiler {
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<object>;
}

async function compile(bytes: Uint8Array<ArrayBuffer>): Promise<object> {
  try {
    return await (globalThis as unknown as { readonly WebAssembly: Compiler }).WebAssembly.compile(bytes);
  } catch (cause) {
    throw new Error(
      `createTagger: WebAssembly: expected a host with vectors that may compile, got: ${(cause as Error).message}; where that is forbidden import the .wasm file that was written beside this module, and pass it: createTagger({ kernels })`,
      { cause },
    );
  }
}

function sessionOf(part: ModelProto, kernels: object): Session {
  const model = openParsedModel(part, kernels);
  return {
    inputs: model.inputs,
    outputs: model.outputs,
    engine: "portable",
    run: async (feeds, outputs, { out } = {}) => model.run(feeds, outputs, out),
    close: async () => model.close(),
  };
}

function textTagger(tagger: Tagger): ModuleTagger["tag"] {
  return async (text, options) => {
    if (typeof text !== "string") throw new TypeError(`tag: text: expected a text, got ${typeof text}`);
    return tagger.task === "ner"
      ? taggedWithEntities(tagger, text, options)
      : collected(tagText(tagger, text, options));
  };
}

/** Labels and entities of one run: the choices that entities are made of are those that labels are. */
async function taggedWithEntities(
  tagger: Tagger,
  text: string,
  options: TagOptions | undefined,
): Promise<ModuleSentence[]> {
  const choicesOf = tagger.choices as NonNullable<Tagger["choices"]>;
  const waiting: LabelChoices[] = [];
  const listening: Tagger = {
    ...tagger,
    async *choices(...given) {
      for await (const choices of choicesOf(...given)) {
        waiting.push(choices);
        yield choices;
      }
    },
  };
  const found: ModuleSentence[] = [];
  for await (const { sentence, entities } of sentenceEntities(listening, text, options)) {
    const { labels } = waiting.shift() as LabelChoices;
    const words = sentence.words.map((word, i) => ({
      ...word,
      label: tagger.labels[labels[i] as number] as string,
    }));
    found.push({ ...sentence, words, entities });
  }
  return found;
}

function sentenceTagger(tagger: Tagger): ModuleTagger["tagSentences"] {
  return async (sentences, options) => collected(tagger.tag(sentences, options));
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
