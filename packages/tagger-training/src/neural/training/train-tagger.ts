import { hyphenated, type LabelForm, schemeName } from "@nasty/formats/iob";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import {
  entitiesInForm,
  evaluate,
  labellingOf,
  languageTag,
  type NeuralSettings,
  noLabel,
  openNeuralTagger,
  TaggerError,
  withTagger,
} from "@nasty/taggers";
import { dropAuxiliary } from "@nasty/taggers/neural";
import {
  type EpochRecord,
  type ModifierState,
  onnxEngine,
  type QuantizationRecord,
  type StopReason,
  trainLoop,
  withWeights,
} from "@nasty/training";
import { checkHasEntities } from "../../fine-tuning/label-set.js";
import { quantizationOf, withRecord } from "../../quantization-aware/quantization-aware.js";
import {
  type Architecture,
  type ArchitecturePreset,
  architectures,
  type EmbeddingSettings,
} from "../architecture.js";
import { countWords, featureSettings } from "../features/count-features.js";
import { buildNeuralModel } from "../graph/build-neural-model.js";
import { dropCorpora } from "../graph/corpora.js";
import { type FollowedLoop, pretrain, type PretrainingReport } from "../pretraining/pretrain.js";
import { noiseOf } from "../../noise/noise.js";
import { checkLengths, checkValidation, type LabelSets, labelSets } from "./label-sets.js";
import { dropoutOf } from "./dropout.js";
import { layoutOf } from "./layout.js";
import { lossesOf } from "./losses.js";
import { optimizerOf } from "./optimizer.js";
import { defaultRecipe, type Recipe } from "./recipe.js";
import { identityOf } from "./run-identity.js";
import { checkSoftTargets } from "./soft-targets.js";
import { makeBatchSource } from "./training-batches.js";
import type { TrainTaggerOptions } from "./train-tagger-options.js";
import type { TrainingSentence } from "./training-sentence.js";

export interface TrainedTagger {
  /** Float32, with its settings in its metadata, without what only training needs. */
  readonly model: ModelProto;
  readonly settings: NeuralSettings;
  /** State of the modifiers with these weights. */
  readonly modifiers: ModifierState;
  /** How the model was trained to be quantized, if it was; in its metadata too. */
  readonly qat?: QuantizationRecord;
  /** What the encoder was trained on first, if it was. */
  readonly pretraining?: PretrainingReport;
  /** Accuracy or F1 on validation of the weights returned. */
  readonly value: number | undefined;
  readonly bestEpoch: number | undefined;
  readonly history: readonly EpochRecord[];
  readonly stopped: StopReason;
}

/**
 * Trains a tagger from random weights.
 *
 * AdamW with linear decay, gradients clipped, averaged weights; loss = cross-entropy of the labels with label smoothing
 * (or the negative log-likelihood of the label sequence, divided by the mean sentence length) + `auxiliaryWeight` ·
 * that of each auxiliary head. Words and affixes are hidden at random, see `FeatureDropout`; dropout masks of a two-way
 * LSTM are shared along the sentence. With `recipe.noise` a share of the sentences is disturbed, in another way each
 * epoch; their words keep the labels and the soft targets that they had. After every epoch the averaged weights are
 * evaluated on the validation sentences; the best ones are returned. With `pretraining` the first weights of everything
 * but the heads are those that predict hidden words of raw text best.
 *
 * @throws TaggerError `empty`, `labels`, `misaligned`, `unknown-label`, `window`; TrainingError `non-finite-loss`,
 *   `checkpoint-mismatch`, `checkpoint-format`.
 *
 * @example
 * ```ts
 * const train = await posSentences(readConlluFile("train.conllu"));
 * const validation = await posSentences(readConlluFile("dev.conllu"));
 * const { model, value } = await trainTagger({ task: "pos", train, validation });
 * await writeModelFile("pos.onnx", model);
 * ```
 */
export async function trainTagger(given: TrainTaggerOptions): Promise<TrainedTagger> {
  const form = formToLearn(given);
  const options = form === undefined ? given : inForm(given, form);
  const { task, train, validation, architecture: named = "bilstm", seed = 1, threads = 1 } = options;
  const { soft, chain = task === "ner" && (soft === undefined || soft.pairs !== undefined) } = options;
  const { patience, checkpoint, pretraining, engine = onnxEngine } = options;
  const recipe: Recipe = { ...defaultRecipe, ...options.recipe };
  const sets = labelSetsOf(options, chain);
  checkValidation(validation, sets.labels);
  checkLengths(train, recipe.longestSentence);

  const preset: ArchitecturePreset = typeof named === "string" ? architectures[named] : named;
  const labelled = train.map(({ words }) => words);
  const counts = countWords(labelled);
  const hasCharacters = preset.architecture.embedding.characters !== undefined;
  const { wordCodes } = options;
  const codes = wordCodes && { words: wordCodes.words, books: wordCodes.books, codes: wordCodes.codes };
  const language = options.language && languageTag(options.language, "trainTagger");
  const features = featureSettings(counts, { ...preset.features, hasCharacters, codes });
  const architecture = withEmbedding(preset.architecture, {
    // Very little text has no character often enough.
    ...(features.characters === "" ? { characters: undefined } : {}),
    codes: wordCodes?.width,
  });
  const settings: NeuralSettings = {
    kind: "neural",
    task,
    labels: sets.labels,
    ...(form === undefined ? {} : { scheme: schemeName(form) }),
    ...(language === undefined ? {} : { language }),
    features,
  };
  const source = makeBatchSource({
    sentences: train,
    features,
    sets,
    layout: layoutOf(architecture, chain),
    batchSentences: recipe.batchSentences,
    batchTokens: recipe.batchTokens,
    dropout: recipe.dropout,
    counts: counts.words,
    // The graph takes what its losses read, nothing else.
    soft: soft?.alpha === 0 && soft.pairs === undefined ? undefined : soft,
    ownLabels: soft?.pairs === undefined && soft?.alpha !== 1,
    noise: noiseOf(recipe.noise),
    // An entity without its first word would be none of its scheme.
    mayDrop: task === "pos" ? undefined : (label) => label === "O" || label === noLabel,
  });
  const totalSteps = Math.max(2, recipe.epochs * source.batchesPerEpoch);
  const qat = quantizationOf("trainTagger", options, totalSteps);
  const modifiers = [...(options.modifiers ?? []), ...(qat === undefined ? [] : [qat])];
  const identity = identityOf(options, { recipe, preset, sets });
  const loop = followedLoop(options);
  const encoder = { features, architecture, codebooks: wordCodes?.rows, seed };
  const pretrained =
    pretraining &&
    (await pretrain(pretraining, { ...encoder, labelled, recipe, identity, engine, loop, threads }));
  const built = buildNeuralModel({
    ...encoder,
    labels: sets.labels.length,
    chain,
    corpora: sets.corpora.length,
    auxiliary: Object.fromEntries(
      Object.entries(sets.auxiliary).map(([head, labels]) => [head, labels.length]),
    ),
  });
  const model = pretrained === undefined ? built : withWeights(built, pretrained.weights);
  if (pretrained?.stopped === "interrupted")
    return {
      model: await withTagger(asWritten(model), settings),
      pretraining: pretrained.report,
      settings,
      modifiers: {},
      value: undefined,
      bestEpoch: undefined,
      history: [],
      stopped: "interrupted",
    };
  const trainer = await engine.load(model, {
    loss: lossesOf(sets, recipe, { soft, sequenceLength: chain ? meanLength(train) : undefined }),
    dropout: dropoutOf(model, architecture),
    optimizer: optimizerOf(recipe, totalSteps, qat?.trained),
    seed,
    threads,
    ...(modifiers.length === 0 ? {} : { modifiers }),
  });
  try {
    const result = await trainLoop({
      trainer,
      batches: ({ random }) => source.epoch(random),
      epochs: recipe.epochs,
      seed,
      stepsPerEpoch: source.batchesPerEpoch,
      identity,
      validate: ({ model: current }) =>
        validate(qat?.simulate(current) ?? current, settings, { validation, threads }),
      ...(patience === undefined ? {} : { patience }),
      ...(checkpoint === undefined ? {} : { checkpoint }),
      ...loop,
    });
    const final = asWritten(result.model);
    const record = qat?.record(final, result.modifiers);
    return {
      model: await withTagger(withRecord(final, record), settings),
      ...(record === undefined ? {} : { qat: record }),
      ...(pretrained === undefined ? {} : { pretraining: pretrained.report }),
      settings,
      modifiers: result.modifiers,
      value: result.bestMetric,
      bestEpoch: result.bestEpoch,
      history: result.history,
      stopped: result.stopped,
    };
  } finally {
    await trainer.close();
  }
}

/** What the training and its pretraining have in common. */
const followedLoop = ({
  checkpointEvery,
  onEvent,
  eventEvery,
  signal,
}: TrainTaggerOptions): FollowedLoop => ({
  ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
  ...(onEvent === undefined ? {} : { onEvent }),
  ...(eventEvery === undefined ? {} : { eventEvery }),
  ...(signal === undefined ? {} : { signal }),
});

const withEmbedding = (architecture: Architecture, changes: Partial<EmbeddingSettings>): Architecture => ({
  ...architecture,
  embedding: { ...architecture.embedding, ...changes },
});

/** Entities are learned in IOB2, or in the scheme of the teachers; undefined for parts of speech. */
function formToLearn({ task, soft, scheme }: TrainTaggerOptions): LabelForm | undefined {
  if (task === "pos") return undefined;
  return soft === undefined ? hyphenated("IOB2") : labellingOf(soft.labels, { task, scheme }).form;
}

function inForm(options: TrainTaggerOptions, form: LabelForm): TrainTaggerOptions {
  const { train, validation, scheme } = options;
  const converted = (sentences: readonly TrainingSentence[], name: string): TrainingSentence[] =>
    entitiesInForm(sentences, form, { where: `trainTagger: ${name}`, scheme });
  return { ...options, train: converted(train, "train"), validation: converted(validation, "validation") };
}

/** Labels of the data, or those of the teachers. */
function labelSetsOf({ train, task, soft }: TrainTaggerOptions, chain: boolean): LabelSets {
  if (soft === undefined) {
    const sets = labelSets(train, task);
    if (task === "ner") checkHasEntities(sets.labels, "trainTagger");
    return sets;
  }
  if (chain !== (soft.pairs !== undefined)) {
    const [expected, got] = chain
      ? ["no scores of label sequences with soft targets of words alone (they have no pairs)", "chain: true"]
      : ["scores of label sequences with soft targets that have pairs", "chain: false"];
    throw new TaggerError("option", `trainTagger: chain: expected ${expected}, got ${got}`, {
      name: "chain",
    });
  }
  checkSoftTargets(train, soft);
  // "_" is no entity label, and no label at all here.
  const labelled = train.map((sentence) => ({ ...sentence, labels: sentence.labels.map(() => "O") }));
  return { ...labelSets(labelled, task), labels: soft.labels };
}

/** The model without what only training needs. */
const asWritten = (model: ModelProto): ModelProto => dropAuxiliary(dropCorpora(model));

const meanLength = (sentences: readonly TrainingSentence[]): number =>
  sentences.reduce((sum, { words }) => sum + words.length, 0) / sentences.length;

async function validate(
  model: ModelProto,
  settings: NeuralSettings,
  { validation, threads }: { validation: readonly TrainingSentence[]; threads: number },
): Promise<number> {
  const tagger = await openNeuralTagger(asWritten(model), settings, (part) => openSession(part, { threads }));
  try {
    return (await evaluate(tagger, validation, { batchSize: 32 })).value;
  } finally {
    await tagger.close();
  }
}
