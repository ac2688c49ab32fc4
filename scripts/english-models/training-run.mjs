// What the training scripts share: arguments, progress, writing the model. They run in the built repository and import
// its packages by path, so that what is trained is what is checked out.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { readFile } from "node:fs/promises";
import { parseConllu } from "../../packages/formats/dist/conllu/index.js";
import { readConlluFile } from "../../packages/formats/dist/conllu/node.js";
import { parseColumns } from "../../packages/formats/dist/iob/index.js";
import { writeModelFile } from "../../packages/formats/dist/onnx/node.js";
import { withMetadata } from "../../packages/formats/dist/onnx/index.js";
import {
  architectures,
  defaultRecipe,
  encodeVectors,
  nerSentences,
  parseVectors,
  posSentences,
  trainTagger,
} from "../../packages/tagger-training/dist/index.js";
import { fileCheckpoint } from "../../packages/training/dist/node.js";

import { rawSentences, sourceOf } from "./raw-text.mjs";

const common = {
  output: { type: "string" },
  architecture: { type: "string", default: "bilstm" },
  epochs: { type: "string" },
  seed: { type: "string", default: "1" },
  threads: { type: "string", default: "1" },
  patience: { type: "string" },
  /** JSON, merged into the default recipe. */
  recipe: { type: "string", default: "{}" },
  /** JSON, merged into the named architecture: `{"architecture":{"hidden":128},"features":{"leastCount":3}}`. */
  network: { type: "string", default: "{}" },
  /** Word vectors in GloVe's text format, which the network reads as codes. */
  vectors: { type: "string" },
  /** JSON: `{"limit":40000,"width":64,"books":4}`. */
  codes: { type: "string", default: "{}" },
  /** Text on whose hidden words the network is trained first: as --unlabelled of distil.mjs. */
  pretrain: { type: "string", multiple: true, default: [] },
  /** JSON: `{"epochs":2,"maskedShare":0.15}`. */
  pretraining: { type: "string", default: "{}" },
  licence: { type: "string", default: "CC-BY-SA-4.0" },
  /** Tag of the language, kept in the model, by which raw text is cut; English unless given. */
  language: { type: "string" },
};

export function argumentsOf(own) {
  const { values } = parseArgs({ options: { ...common, ...own } });
  for (const name of ["train", "validation", "output"]) {
    if (values[name] === undefined || values[name].length === 0) {
      console.error(`--${name} is missing; see the comment at the head of this script`);
      process.exit(2);
    }
  }
  return values;
}

const readText = (path) => readFile(path, "utf8");

/** Sentences of treebanks, one after the other, for part-of-speech training. */
export async function treebankSentences(paths) {
  const all = await Promise.all(paths.map((path) => posSentences(readConlluFile(path))));
  return all.flat();
}

/**
 * What reads the sentences of an entity file for training: `(path, { types, weight })`. Those with the `sent_id` of a
 * sentence of one of the treebanks have its parts of speech as auxiliary labels.
 */
export function entityReader(treebanks) {
  const partsOfSpeech = Promise.all(treebanks.map(async (path) => [...parseConllu(await readText(path))]));
  return async (path, options = {}) =>
    nerSentences(parseColumns(await readText(path), { name: basename(path) }), {
      partsOfSpeech: (await partsOfSpeech).flat(),
      ...options,
    });
}

/**
 * Trains (going on from OUTPUT.checkpoint if it is there) and writes OUTPUT. `learn` takes what `trainTagger` takes and
 * gives what it gives; `record` is more to be written down of how the model was made.
 */
export async function trainAndWrite(
  values,
  { task, train, validation, sources, learn = trainTagger, record: more = {} },
) {
  const { output, architecture, seed, threads, patience, language } = values;
  const recipe = JSON.parse(values.recipe);
  if (values.epochs !== undefined) recipe.epochs = Number(values.epochs);
  const preset = merged(architectures[architecture], JSON.parse(values.network));
  const wordCodes = await wordCodesOf(values);
  const pretraining = await pretrainingOf(values);
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  const start = performance.now();
  const trained = await learn({
    task,
    train,
    validation,
    architecture: preset,
    recipe,
    seed: Number(seed),
    threads: Number(threads),
    checkpoint: fileCheckpoint(`${output}.checkpoint`),
    checkpointEvery: 200,
    signal: abort.signal,
    ...(wordCodes === undefined ? {} : { wordCodes }),
    ...(pretraining === undefined ? {} : { pretraining }),
    onEvent: report,
    ...(patience === undefined ? {} : { patience: Number(patience) }),
    ...(language === undefined ? {} : { language }),
  });
  if (trained.stopped === "interrupted") {
    console.error(`interrupted; run the same command again to go on from ${output}.checkpoint`);
    process.exit(130);
  }
  const record = {
    task,
    architecture,
    network: preset,
    seed: Number(seed),
    ...(language === undefined ? {} : { language }),
    recipe: { ...defaultRecipe, ...recipe },
    sources,
    ...(wordCodes === undefined
      ? {}
      : { vectors: basename(values.vectors), codes: JSON.parse(values.codes) }),
    ...(pretraining === undefined
      ? {}
      : {
          pretraining: {
            ...JSON.parse(values.pretraining),
            text: values.pretrain.map((path) => basename(path)),
            ...trained.pretraining,
          },
        }),
    validation: trained.value,
    bestEpoch: trained.bestEpoch,
    ...more,
  };
  const model = withMetadata(trained.model, {
    "nasty.training": JSON.stringify(record),
    "nasty.licence": values.licence,
  });
  const { bytes, sha256 } = await writeModelFile(output, model);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(
    JSON.stringify({ output, bytes, sha256, seconds, value: trained.value, bestEpoch: trained.bestEpoch }),
  );
}

async function wordCodesOf({ vectors, codes }) {
  if (vectors === undefined) return undefined;
  const options = JSON.parse(codes);
  const lines = createInterface({ input: createReadStream(vectors) });
  return encodeVectors(await parseVectors(lines, { limit: options.limit, name: basename(vectors) }), options);
}

async function pretrainingOf({ pretrain, pretraining, output }) {
  if (pretrain.length === 0) return undefined;
  const text = (await Promise.all(pretrain.map(sourceOf).map(rawSentences))).flat();
  return {
    ...JSON.parse(pretraining),
    text,
    checkpoint: fileCheckpoint(`${output}.pretraining.checkpoint`),
  };
}

/** A copy of `base` with what `changes` gives instead; objects are merged, anything else is replaced. */
function merged(base, changes) {
  const out = { ...base };
  for (const [name, value] of Object.entries(changes)) {
    const nested = typeof value === "object" && value !== null && !Array.isArray(value);
    out[name] = nested ? merged(base[name], value) : value;
  }
  return out;
}

function report(event) {
  const phase = event.phase === undefined ? "" : `${event.phase}, `;
  if (event.event === "step") {
    const left = event.secondsLeft === undefined ? "" : `, ${Math.round(event.secondsLeft)} s left`;
    const losses = Object.entries(event.losses).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    console.error(
      `${phase}epoch ${event.epoch}/${event.epochs} step ${event.step}: ${losses.join(", ")}; ${event.stepsPerSecond.toFixed(1)} steps/s${left}`,
    );
  } else if (event.event === "epoch") {
    const value = event.metric === undefined ? "" : `, validation ${(event.metric * 100).toFixed(3)}`;
    console.error(
      `${phase}epoch ${event.epoch}: loss ${event.loss.toFixed(4)}${value}${event.best ? " (best)" : ""}`,
    );
  } else if (event.event === "resume") {
    console.error(`${phase}going on at epoch ${event.epoch}, step ${event.step}`);
  }
}
