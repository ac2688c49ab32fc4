import { flag, model, models, one, text } from "../schema/option.js";
import { operation } from "../schema/operation.js";
import { anyText, choice, positiveInteger, positiveNumber, share, wholeNumber } from "../schema/values.js";
import {
  inputFormat,
  languageOf,
  learningOf,
  noise,
  qat,
  running,
  schemeOf,
  task,
  trainedCosine,
  trainingEngine,
  vectors,
} from "./shared-options.js";

/** What a training that writes a Hugging Face directory can learn. */
const learnedTask = choice("pos", "ner", "classification", "embedding");
const learnedTaskHelp = "parts of speech, named entities, labels of whole texts, or vectors of whole texts";
const learnedTextHelp =
  "text to train on: .conllu or columns; whole texts with label or vector as JSON Lines or TSV";

/** A tagger, or a model of whole texts, from random weights. */
export const trainOperation = operation({
  name: "train",
  summary: "train a tagger or a text classifier from random weights on your own labelled text",
  options: {
    task: one("--task <task>", learnedTask, learnedTaskHelp, { required: true }),
    train: text("--train <file>", learnedTextHelp, { required: true }),
    validation: text("--validation <file>", "labelled text to select the best epoch by", { required: true }),
    output: one("--output <file>", anyText, "the model file to write; the directory, for whole texts", {
      required: true,
    }),
    architecture: one(
      "--architecture <name>",
      choice("bilstm", "cnn", "transformer"),
      "bilstm is the most accurate, cnn the fastest, transformer works on subwords",
      { otherwise: "bilstm; transformer for whole texts" },
    ),
    ...learningOf({
      epochs: "18; transformer: 20",
      batchSize: "32; transformer: 16",
      learningRate: "0.003; transformer: 0.0007",
    }),
    noise,
    ...vectors,
    pretrain: text(
      "--pretrain <file>",
      "text without labels, on whose hidden words a bilstm or cnn is trained first: plain, .conllu or columns",
    ),
    pretrainEpochs: one(
      "--pretrain-epochs <n>",
      positiveInteger,
      "with --pretrain: number of passes over that text",
      { otherwise: "1" },
    ),
    scheme: schemeOf("recognized from the text; the model is trained on iob2"),
    language: languageOf("en"),
    minCosine: trainedCosine,
    engine: trainingEngine,
    qat,
    inputFormat,
    ...running,
  },
  examples: [
    [
      "nasty train --task pos --train train.conllu --validation dev.conllu --output pos.onnx",
      "an interrupted run continues from pos.onnx.checkpoint",
    ],
    [
      "nasty train --task ner --architecture cnn --train a.iob2 --validation b.iob2 --output ner.onnx",
      "entities from columns of words and labels",
    ],
    [
      "nasty train --task classification --train train.jsonl --validation dev.jsonl --output genre",
      'a classifier of texts from lines of {"text": …, "label": …}',
    ],
  ],
});

/** A pretrained encoder becomes a tagger, or a model of whole texts. */
export const fineTuneOperation = operation({
  name: "fine-tune",
  summary: "turn a pretrained encoder into a tagger or a text classifier of your labels",
  options: {
    model: model("--model <dir>", "Hugging Face directory: config, tokenizer, safetensors or ONNX weights", {
      required: true,
    }),
    task: one("--task <task>", learnedTask, learnedTaskHelp, { required: true }),
    train: text("--train <file>", learnedTextHelp, { required: true }),
    validation: text("--validation <file>", "labelled text to select the best epoch by"),
    scheme: schemeOf("recognized from the text"),
    language: languageOf("the base's, or en"),
    output: one("--output <path>", anyText, "the directory to write", { required: true }),
    ...learningOf({ epochs: "5", batchSize: "16", learningRate: "0.00005" }),
    minCosine: trainedCosine,
    qat,
    layerDecay: one(
      "--layer-decay <factor>",
      positiveNumber,
      "learning rate of a layer relative to the layer above it",
      { otherwise: "1" },
    ),
    freezeLayers: one(
      "--freeze-layers <n>",
      wholeNumber,
      "number of the lowest layers that are not trained",
      {
        otherwise: "0",
      },
    ),
    freezeEmbeddings: flag("--freeze-embeddings", "do not train the embeddings"),
    keepHead: flag("--keep-head", "keep the model's own labels and classifier", {
      otherwise: "if the labels agree",
      negative: ["--no-keep-head", "start with a new classifier even if the labels agree"],
    }),
    engine: trainingEngine,
    inputFormat,
    ...running,
  },
  examples: [
    [
      "nasty fine-tune --model bert-tiny --task pos --train train.conllu --validation dev.conllu --output pos",
      "a directory that transformers.js loads",
    ],
    [
      "nasty fine-tune --model bert-tiny --task classification --train train.tsv --validation dev.tsv --output topics",
      "a classifier of texts from lines of a text, a tab and a label",
    ],
  ],
});

/** A smaller tagger learns from larger ones. */
export const distillOperation = operation({
  name: "distill",
  summary: "train a smaller tagger on the predictions of larger ones",
  options: {
    teachers: models(
      "--teacher <model>",
      "model file or Hugging Face directory of a tagger (repeatable: predictions of several teachers are averaged)",
      { required: true },
    ),
    student: one("--student <kind>", anyText, "cnn, bilstm, or the Hugging Face directory of an encoder", {
      otherwise: "the first teacher's own kind",
    }),
    studentSize: one(
      "--student-size <share>",
      positiveNumber,
      "size relative to the teacher's layers or width, or to the usual widths of cnn and bilstm",
      { otherwise: "0.5; with --student 1" },
    ),
    by: one("--by <dimension>", choice("depth", "width"), "dimension of a transformer that is reduced", {
      otherwise: "depth",
    }),
    task: one("--task <task>", task, "kind of labels: parts of speech or named entities", {
      otherwise: "the teacher's kind of labels",
    }),
    train: text("--train <file>", "labelled text to train on: .conllu or columns", { required: true }),
    validation: text("--validation <file>", "labelled text to select the best epoch by"),
    scheme: schemeOf("recognized from the text"),
    unlabelled: text("--unlabelled <file>", "additional text, which the teachers label"),
    output: one(
      "--output <path>",
      anyText,
      "directory to write, or the model file for a cnn or bilstm student",
      { required: true },
    ),
    ...learningOf({
      epochs: "5; cnn and bilstm: 18",
      batchSize: "16; cnn and bilstm: 32",
      learningRate: "0.00005; cnn and bilstm: 0.003",
    }),
    noise,
    ...vectors,
    minCosine: trainedCosine,
    temperature: one("--temperature <t>", positiveNumber, "temperature of the teachers' soft targets", {
      otherwise: "2; entities with a cnn or bilstm: 1",
    }),
    alpha: one("--alpha <share>", share, "weight of the teachers' predictions relative to the labels", {
      otherwise: "0.5",
    }),
    hidden: one("--hidden <weight>", positiveNumber, "weight of the loss on a transformer's hidden states", {
      otherwise: "0",
    }),
    inputFormat,
    ...running,
  },
  examples: [
    [
      "nasty distill --teacher pos --student-size 0.5 --train train.conllu --output pos-small",
      "half the layers of a transformer",
    ],
    [
      "nasty distill --teacher a.onnx --teacher b.onnx --student cnn --train train.conllu --unlabelled text.txt --validation dev.conllu --output small.onnx",
      "one small network from two large ones",
    ],
  ],
});
