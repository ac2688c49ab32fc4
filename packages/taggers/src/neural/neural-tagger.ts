import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import type { Session, ValueInfo } from "@nasty/runtime";
import { checkLabels } from "../check-labels.js";
import { labellingOfSettings } from "../label-choice.js";
import { TaggerError } from "../tagger-error.js";
import type { BatchOptions, EncodedBatch, Sentences, Tagger } from "../tagger.js";
import { type ChainScores, type Decoder, decoderOf, type Scores } from "./decode.js";
import { makeWordFeatures } from "./features/word-features.js";
import { chainOutputs, logitsOutput } from "./graph/build-neural-model.js";
import { embeddingsValue } from "./graph/embedder.js";
import { type Limits, limitsOf, longestRow, sentenceBlocks } from "../tagging/sentence-blocks.js";
import { wordWindows } from "../transformer/windows.js";
import { batchesOf, type BatchLimits, type Layout, place, type Placement, type Row } from "./placement.js";
import type { NeuralSettings } from "./settings.js";
import { splitModel } from "./split-model.js";
import { wordFeeds } from "./word-feeds.js";
import { makeWordStore, type WordStore } from "./word-store.js";
import { makeWordVectors } from "./word-vectors.js";

/** Measured on one thread of a server core: see bench/neural.mjs and decision 056. */
const DEFAULTS: Readonly<Record<Layout, BatchLimits>> = {
  rows: { batchSize: 32, batchTokens: 1024 },
  "masked-rows": { batchSize: 32, batchTokens: 1024 },
  stream: { batchSize: 1024, batchTokens: 512 },
};
const LOOK_AHEAD = 512;

/** Words whose ids and vectors are kept; beyond it, or where a block may double it, all are forgotten between two blocks of sentences. */
const MOST_WORDS = 16_384;

/** A tagger that also says how sure it is. */
export interface NeuralTagger extends Tagger {
  /** The model's own scores of label sequences, if it has any. */
  readonly chain: ChainScores | undefined;
  /** Scores of each sentence's words before decoding, in input order. */
  scores(sentences: Sentences, options?: BatchOptions): AsyncIterable<Scores>;
}

/** The whole graph, or its two halves. */
export type NeuralSessions =
  | { readonly whole: Session }
  | { readonly embedder: Session; readonly network: Session };

/**
 * Opens a neural tagger: the graph is cut at the vectors of words (see {@link splitModel}), so that a word's vector is computed once;
 * a graph that cannot be cut runs whole.
 *
 * @param open makes a session of a model, for example `(m) => openSession(m)`; the tagger closes what it opened.
 * @throws TaggerError as {@link makeNeuralTagger}, and what `open` throws.
 *
 * @example
 * ```ts
 * const tagger = await openNeuralTagger(model, settings, (part) => openSession(part));
 * ```
 */
export async function openNeuralTagger(
  model: ModelProto,
  settings: NeuralSettings,
  open: (model: ModelProto) => Promise<Session>,
): Promise<NeuralTagger> {
  const halves = splitModel(model);
  if (halves === undefined)
    return closingOnFailure(await open(model), (whole) => makeNeuralTagger({ whole }, settings));
  return closingOnFailure(await open(halves.network), async (network) =>
    closingOnFailure(await open(halves.embedder), (embedder) =>
      makeNeuralTagger({ embedder, network }, settings),
    ),
  );
}

async function closingOnFailure<T>(session: Session, use: (session: Session) => Promise<T>): Promise<T> {
  try {
    return await use(session);
  } catch (error) {
    await session.close();
    throw error;
  }
}

/**
 * A tagger around sessions of a graph that {@link buildNeuralModel} built.
 *
 * A word's ids (and with two sessions its vector) are computed when it is first met and kept. Part-of-speech labels are the best of
 * each word; entity labels are the best sequence that the chunk scheme allows, with the model's own sequence scores if it has any.
 *
 * @throws TaggerError `model-inputs`, `model-outputs`, `labels`.
 */
export async function makeNeuralTagger(
  sessions: NeuralSessions,
  settings: NeuralSettings,
): Promise<NeuralTagger> {
  const { labels, features } = settings;
  checkLabels(labels, "openTagger: settings");
  const labelling = labellingOfSettings(settings);
  const network = "whole" in sessions ? sessions.whole : sessions.network;
  const layout = layoutOf(network);
  checkLogits(network, labels.length);
  const store = makeWordStore(makeWordFeatures(features));
  const vectors = "whole" in sessions ? undefined : makeWordVectors(sessions.embedder, store, features);
  const feedsOf = (rows: readonly Row[]): Placement => describe(rows, { store, layout, settings });
  const chain = await chainOf(sessions, { settings, layout });
  const decode: Decoder = decoderOf(labelling, labels, chain);

  const run = async (rows: readonly WindowRow[], block: Scores[]): Promise<void> => {
    const placed = vectors === undefined ? feedsOf(rows) : place(rows, layout, (word) => word);
    const feeds =
      vectors === undefined ? placed.feeds : { ...placed.feeds, [embeddingsValue]: vectors.table };
    const { data } = (await network.run(feeds, [logitsOutput]))[logitsOutput] as Tensor<"float32">;
    rows.forEach(({ sentence, firstWord, firstOwned, ownedEnd }, r) => {
      const start = ((placed.starts[r] as number) + firstOwned - firstWord) * labels.length;
      const scores = block[sentence] as Scores;
      // A sentence in one row needs no copy.
      if (scores.length === ownedEnd - firstOwned) block[sentence] = { data, start, length: scores.length };
      else
        scores.data.set(
          data.subarray(start, start + (ownedEnd - firstOwned) * labels.length),
          firstOwned * labels.length,
        );
    });
  };

  async function* scoredBlocks(sentences: Sentences, options?: BatchOptions): AsyncGenerator<Scores[]> {
    const limits = limitsOf(options, { ...DEFAULTS[layout], lookAhead: LOOK_AHEAD });
    for await (const { rows, sizes } of blocks(sentences, store, limits, () => vectors?.clear())) {
      await vectors?.update();
      const block = sizes.map((length): Scores => {
        const isCut = length > longestRow;
        return { data: isCut ? new Float32Array(length * labels.length) : nothing, start: 0, length };
      });
      for (const batch of batchesOf(rows, limits, layout)) {
        limits.signal?.throwIfAborted();
        await run(batch, block);
      }
      yield block;
    }
  }

  return {
    kind: "neural",
    task: labelling.task,
    labels,
    labelling,
    chain,
    async *tag(sentences, options) {
      for await (const block of scoredBlocks(sentences, options)) {
        for (const scores of block) {
          yield Array.from(decode(scores, labels.length), (label) => labels[label] as string);
        }
      }
    },
    async *scores(sentences, options) {
      for await (const block of scoredBlocks(sentences, options)) yield* block;
    },
    feedsOf: (sentences, options) => encodedBatches(layout, settings, sentences, options),
    async close() {
      await Promise.all(
        "whole" in sessions ? [sessions.whole.close()] : [sessions.embedder.close(), network.close()],
      );
    },
  };
}

/** The inputs of the whole graph for sentences, from its settings and what it takes alone; see `makeEncoder`. */
export function makeNeuralEncoder(
  inputs: readonly ValueInfo[],
  settings: NeuralSettings,
): Pick<Tagger, "feedsOf"> {
  const layout = layoutOf({ inputs });
  return { feedsOf: (sentences, options) => encodedBatches(layout, settings, sentences, options) };
}

async function* encodedBatches(
  layout: Layout,
  settings: NeuralSettings,
  sentences: Sentences,
  options: BatchOptions | undefined,
): AsyncGenerator<EncodedBatch> {
  const limits = limitsOf(options, { ...DEFAULTS[layout], lookAhead: LOOK_AHEAD });
  const store = makeWordStore(makeWordFeatures(settings.features));
  for await (const { rows } of blocks(sentences, store, limits)) {
    for (const batch of batchesOf(rows, limits, layout)) {
      limits.signal?.throwIfAborted();
      const { feeds, mask } = describe(batch, { store, layout, settings });
      const words = batch.reduce((sum, { firstOwned, ownedEnd }) => sum + ownedEnd - firstOwned, 0);
      yield { feeds, mask, words };
    }
  }
}

const nothing = new Float32Array(0);

interface Description {
  readonly store: WordStore;
  readonly layout: Layout;
  readonly settings: NeuralSettings;
}

/** All inputs of the whole graph for some sentences: each distinct word once. */
function describe(rows: readonly Row[], { store, layout, settings }: Description): Placement {
  const numbers = new Map<number, number>();
  for (const { words } of rows)
    for (const word of words) if (!numbers.has(word)) numbers.set(word, numbers.size);
  const placed = place(rows, layout, (word) => numbers.get(word) as number);
  const words = Array.from(numbers.keys(), (word) => store.at(word));
  return { ...placed, feeds: { ...wordFeeds(words, settings.features), ...placed.feeds } };
}

/** Reads sentences in blocks, words as places in the store, which is emptied between blocks when it has become too large. */
async function* blocks(
  sentences: Sentences,
  store: WordStore,
  limits: Limits,
  onClear?: () => void,
): AsyncGenerator<{ rows: WindowRow[]; sizes: number[] }> {
  for await (const block of sentenceBlocks(sentences, limits)) {
    const sizes = block.map(({ length }) => length);
    const coming = sizes.reduce((sum, size) => sum + size, 0);
    if (store.size > MOST_WORDS || store.size + coming > 2 * MOST_WORDS) {
      store.clear();
      onClear?.();
    }
    const rows: WindowRow[] = [];
    block.forEach((sentence, index) => {
      const words = new Int32Array(sentence.length);
      for (let i = 0; i < words.length; i++) words[i] = store.placeOf(sentence[i] as string);
      for (const { firstWord, wordsEnd, firstOwned, ownedEnd } of wordWindows(words.length, longestRow)) {
        rows.push({
          sentence: index,
          words: words.subarray(firstWord, wordsEnd),
          firstWord,
          firstOwned,
          ownedEnd,
        });
      }
    });
    yield { rows, sizes };
  }
}

/** A sentence, or a window of a long one. */
interface WindowRow extends Row {
  /** First word in the sentence that the row holds. */
  readonly firstWord: number;
  /** The words of the sentence whose scores are taken from this row. */
  readonly firstOwned: number;
  readonly ownedEnd: number;
}

function layoutOf({ inputs }: Pick<Session, "inputs">): Layout {
  const names = inputs.map(({ name }) => name);
  if (names.includes("word_index") && names.includes("lengths")) return "rows";
  if (names.includes("word_index") && names.includes("mask")) return "stream";
  throw new TaggerError(
    "model-inputs",
    `openTagger: model: inputs: expected word_index, and lengths or mask, got ${names.join(", ")}`,
  );
}

function checkLogits({ outputs }: Session, labels: number): void {
  const logits = outputs.find(({ name }) => name === logitsOutput);
  const count = logits?.shape.at(-1);
  if (
    logits?.dtype === "float32" &&
    logits.shape.length === 3 &&
    (typeof count === "string" || count === labels)
  )
    return;
  const got = outputs.map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(", ")}]`).join(", ");
  throw new TaggerError(
    "model-outputs",
    `openTagger: model: outputs: expected ${logitsOutput} float32 [batch, length, ${labels}], got ${got}`,
  );
}

/** The model's own scores of label sequences, asked for with a sentence of one empty word. */
async function chainOf(
  sessions: NeuralSessions,
  { settings, layout }: { settings: NeuralSettings; layout: Layout },
): Promise<ChainScores | undefined> {
  const network = "whole" in sessions ? sessions.whole : sessions.network;
  const names = Object.values(chainOutputs);
  if (!names.every((name) => network.outputs.some((output) => output.name === name))) return undefined;
  const store = makeWordStore(makeWordFeatures(settings.features));
  const rows = [{ sentence: 0, words: Int32Array.of(store.placeOf("")) }];
  const feeds = { ...describe(rows, { store, layout, settings }).feeds };
  if ("embedder" in sessions) {
    const vectors = makeWordVectors(sessions.embedder, store, settings.features);
    await vectors.update();
    feeds[embeddingsValue] = vectors.table;
  }
  const wanted = new Set(network.inputs.map(({ name }) => name));
  const own = Object.fromEntries(Object.entries(feeds).filter(([name]) => wanted.has(name)));
  const outputs = await network.run(own, names);
  const { transitions, start, end } = outputs as Record<string, Tensor<"float32">>;
  return {
    transitions: (transitions as Tensor<"float32">).data,
    start: (start as Tensor<"float32">).data,
    end: (end as Tensor<"float32">).data,
  };
}
