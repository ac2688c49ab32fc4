import { type Labelling, labellingOfSettings, type TaggerSettings } from "@nasty/taggers";

/**
 * The types of an exported module: its labels and entity types are spelled out.
 *
 * @param name of the module's file, for the examples
 */
export function declarationsOf(settings: TaggerSettings, { name, kernels }: ModuleNames): string {
  const labelling = labellingOfSettings(settings);
  const isOfEntities = labelling.task === "ner";
  return `${head(labelling, { name, kernels })}
/** What the labels are: \`"pos"\` for parts of speech, \`"ner"\` for named entities. */
export declare const task: ${JSON.stringify(labelling.task)};

/** A label of a word. */
export type Label =${unionOf(settings.labels)};

/** All labels, in the order of the model's scores. */
export declare const labels: readonly Label[];

/** A word of a text: \`text.slice(start, end) === form\`, in UTF-16 units of the whole text. */
export interface TextWord {
  readonly form: string;
  readonly start: number;
  readonly end: number;
}

/** A word with its label. */
export interface TaggedWord extends TextWord {
  readonly label: Label;
}

/** A surface token that stands for several words, such as \`don't\`. */
export interface MultiwordToken extends TextWord {
  /** Index of its first word in the sentence, and of the word behind its last. */
  readonly firstWord: number;
  readonly wordsEnd: number;
}
${isOfEntities ? entityTypes(labelling) : ""}
/** A sentence of a text. */
export interface Sentence {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly words: readonly TaggedWord[];
  readonly multiwordTokens: readonly MultiwordToken[];${isOfEntities ? "\n  readonly entities: readonly Entity[];" : ""}
}

export interface TextOptions extends TagOptions {
  /** Whether each line is one sentence; without it a line break alone ends none. Default false. */
  readonly onePerLine?: boolean;
}

export interface TagOptions {
  /**
   * Most sentences in one run of the model. With 1 no label depends on the sentences around it, at the price of speed.
   */
  readonly batchSize?: number;
}

export interface CreateOptions {
  /**
   * The compiled WebAssembly module of \`${kernels}\`, for hosts that may not compile while they run: workers at the
   * edge, pages whose content security policy has no \`wasm-unsafe-eval\`. Without it the module compiles its own.
   */
  readonly kernels?: object;
}

/** A tagger with a memory of its own. */
export interface Tagger {
  /** Cuts a text into sentences and words by the conventions of the model's language, and labels the words. */
  tag(text: string, options?: TextOptions): Promise<readonly Sentence[]>;
  /** Labels words that are given, sentence by sentence: a list of labels for each list of words. */
  tagSentences(
    sentences: Iterable<readonly string[]>,
    options?: TagOptions,
  ): Promise<readonly (readonly Label[])[]>;
  /** Gives the memory up; the tagger cannot be used afterwards. */
  close(): Promise<void>;
}

/** Unpacks the model and opens it. The functions below share one tagger, which the first call makes. */
export declare function createTagger(options?: CreateOptions): Promise<Tagger>;

/** {@link Tagger.tag} of a tagger that all calls share. */
export declare const tag: Tagger["tag"];

/** {@link Tagger.tagSentences} of a tagger that all calls share. */
export declare const tagSentences: Tagger["tagSentences"];
`;
}

/** File names of a module and of the kernels beside it. */
export interface ModuleNames {
  readonly name: string;
  readonly kernels: string;
}

function head({ task, types }: Labelling, { name, kernels }: ModuleNames): string {
  const example = task === "ner" ? "const [{ entities }] = await tag(" : "const [{ words }] = await tag(";
  return `// A tagger in one module, without imports: ${task === "ner" ? `named entities (${types.join(", ") || "of one type"})` : "parts of speech"}.
//
//   import { tag } from ${JSON.stringify(`./${name}`)};
//   ${example}"Time flies like an arrow.");
//
// Where WebAssembly may not be compiled while a program runs:
//
//   import kernels from ${JSON.stringify(`./${kernels}`)};
//   import { createTagger } from ${JSON.stringify(`./${name}`)};
//   const tagger = await createTagger({ kernels });
`;
}

function entityTypes({ types }: Labelling): string {
  return `
/** A type of entities; empty where the labels name none. */
export type EntityType =${unionOf(types.length === 0 ? [""] : types)};

/** A word inside of an entity. */
export interface EntityWord extends TaggedWord {
  /** Probability of its label, 0..1. */
  readonly score: number;
}

/** An entity: \`text.slice(start, end)\` of the whole text is its \`text\`. */
export interface Entity {
  readonly type: EntityType;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Mean probability of the labels that it is made of, 0..1. */
  readonly score: number;
  readonly words: readonly EntityWord[];
}
`;
}

const unionOf = (texts: readonly string[]): string =>
  texts.map((text) => `\n  | ${JSON.stringify(text)}`).join("");
