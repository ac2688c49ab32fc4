import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import type { Session, ValueInfo } from "@nasty/runtime";
import { checkLabels } from "../check-labels.js";
import { labellingOfSettings, languageOf } from "../label-choice.js";
import { TaggerError } from "../tagger-error.js";
import type { Tagger } from "../tagger.js";
import type { BatchLimits } from "../tagging/batches.js";
import { type ChainScores, constrainChain, decoderOf } from "../tagging/decode.js";
import { type IdRow, type WordRow, wordRows } from "../tagging/rows.js";
import { longestRow } from "../tagging/sentence-blocks.js";
import {
  type Block,
  encoderOf,
  type Encoding,
  type Running,
  type ScoringTagger,
  taggerOf,
} from "../tagging/skeleton.js";
import { makeWordFeatures } from "./features/word-features.js";
import { chainOutputs, embeddingsValue, logitsOutput } from "./graph-values.js";
import type { NeuralSettings } from "./neural-metadata.js";
import { type Layout, place, placeDistinct, placedBatches, type Placement } from "./placement.js";
import { splitModel } from "./split-model.js";
import { wordFeeds } from "./word-feeds.js";
import { makeWordStore, type WordStore } from "./word-store.js";
import { makeWordVectors, type WordVectors } from "./word-vectors.js";

/** Measured on one thread of a server core: see bench/neural.mjs and decision 056. */
const DEFAULTS: Readonly<Record<Layout, BatchLimits>> = {
  rows: { batchSize: 32, batchTokens: 1024 },
  "masked-rows": { batchSize: 32, batchTokens: 1024 },
  stream: { batchSize: 1024, batchTokens: 512 },
};
const LOOK_AHEAD = 512;

/**
 * Words whose ids and vectors are kept; beyond it, or where a block may double it, all are forgotten between two blocks
 * of sentences.
 */
const MOST_WORDS = 16_384;

/** A tagger that also says how sure it is. */
export interface NeuralTagger extends ScoringTagger {
  /** The model's own scores of label sequences, if it has any. */
  readonly chain: ChainScores | undefined;
}

/** The whole graph, or its two halves. */
export type NeuralSessions =
  | { readonly whole: Session }
  | { readonly embedder: Session; readonly network: Session };

/**
 * Opens a neural tagger: the graph is cut at the vectors of words (see {@link splitModel}), so that a word's vector is
 * computed once; a graph that cannot be cut runs whole.
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
 * A word's ids (and with two sessions its vector) are computed when it is first met and kept. Part-of-speech labels are
 * the best of each word; entity labels are the best sequence that the chunk scheme allows, with the model's own
 * sequence scores if it has any.
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
  const chain = await chainOf(sessions, { settings, layout });
  const featuresOf = makeWordFeatures(features);
  const newMemory = (): Memory => {
    const store = makeWordStore(featuresOf);
    return {
      store,
      vectors: "whole" in sessions ? undefined : makeWordVectors(sessions.embedder, store, features),
    };
  };
  let memory = newMemory();

  const running: Running<RememberedRow> = {
    forget() {
      memory = newMemory();
    },
    async rowsOf(block) {
      const coming = block.reduce((sum, { length }) => sum + length, 0);
      const { size } = memory.store;
      // Rows keep the memory that they were read with: other calls may still be running theirs.
      if (size > MOST_WORDS || size + coming > 2 * MOST_WORDS) memory = newMemory();
      const own = memory;
      const rows = rememberedRows(block, own);
      await own.vectors?.update();
      return rows;
    },
    async run(batch) {
      const { store, vectors } = (batch[0] as RememberedRow).memory;
      const { feeds, starts } =
        vectors === undefined
          ? describe(batch, { store, layout, settings })
          : place(batch, layout, (word) => word);
      const all = vectors === undefined ? feeds : { ...feeds, [embeddingsValue]: vectors.table };
      const { data } = (await network.run(all, [logitsOutput]))[logitsOutput] as Tensor<"float32">;
      return {
        data,
        positionOf: (r, word) => (starts[r] as number) + word - (batch[r] as RememberedRow).firstWord,
      };
    },
  };
  const tagger = taggerOf(encodingOf(layout, settings), running, {
    kind: "neural",
    labels,
    labelling,
    ...languageOf(settings),
    decode: decoderOf(labelling, labels, chain),
    chain: chain && constrainChain(chain, labels, labelling.form),
    close: async () => {
      await Promise.all(
        "whole" in sessions ? [sessions.whole.close()] : [sessions.embedder.close(), network.close()],
      );
    },
  });
  return { ...tagger, chain };
}

/** The inputs of the whole graph for sentences, from its settings and what it takes alone; see `makeEncoder`. */
export const makeNeuralEncoder = (
  inputs: readonly ValueInfo[],
  settings: NeuralSettings,
): Pick<Tagger, "feedsOf"> => encoderOf(encodingOf(layoutOf({ inputs }), settings));

function encodingOf(layout: Layout, settings: NeuralSettings): Encoding<RememberedRow> {
  return {
    defaults: { ...DEFAULTS[layout], lookAhead: LOOK_AHEAD },
    batchesOf: (rows, limits) => placedBatches(rows, limits, layout),
    reader() {
      const store = makeWordStore(makeWordFeatures(settings.features));
      return {
        rowsOf: (block) => rememberedRows(block, { store }),
        inputsOf: (batch) => describe(batch, { store, layout, settings }),
      };
    },
  };
}

/** Words that were met, with their vectors where the graph is in two halves. */
interface Memory {
  readonly store: WordStore;
  readonly vectors?: WordVectors | undefined;
}

interface RememberedRow extends WordRow {
  readonly memory: Memory;
}

/** Rows of words as places in the memory's store. */
function rememberedRows(block: Block, memory: Memory): RememberedRow[] {
  return block.flatMap((words, sentence) => {
    const places = Int32Array.from(words, (word) => memory.store.placeOf(word));
    return wordRows(places, sentence, longestRow).map((row) => ({ ...row, memory }));
  });
}

interface Description {
  readonly store: WordStore;
  readonly layout: Layout;
  readonly settings: NeuralSettings;
}

/** All inputs of the whole graph for some sentences: each distinct word once. */
function describe(rows: readonly IdRow[], { store, layout, settings }: Description): Placement {
  const { words, ...placed } = placeDistinct(rows, layout);
  const features = words.map((word) => store.at(word));
  return { ...placed, feeds: { ...wordFeeds(features, settings.features), ...placed.feeds } };
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
  const rows = [{ ids: Int32Array.of(store.placeOf("")) }];
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
