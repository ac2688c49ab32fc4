// Distills a tagger: a cnn or bilstm learns what its teachers think of every word, and the right labels.
//   node scripts/english-models/distil.mjs --teacher a.onnx [--teacher DIRECTORY]… --train en_ewt-ud-train.conllu [--train MORE.conllu]…
//     --validation en_ewt-ud-dev.conllu --output small.onnx [--task pos|ner] [--parts-of-speech en_ewt-ud-train.conllu]… [--architecture cnn|bilstm] [--student-size 1] [--temperature 2] [--alpha 0.5]
//     [--unlabelled FILE[:LIMIT]]… [--epochs 18] [--seed 1] [--threads 1] [--patience N] [--recipe '{"learningRate":0.003}'] [--network JSON]
// With --task ner text is in columns, and --parts-of-speech gives auxiliary labels to the sentences with the same
// sent_id. --teacher: taggers of any kind, averaged; --unlabelled: CoNLL-U or columns, of which only the words are read
// (the first LIMIT sentences), or plain text in .txt (LIMIT sentences of 3 to 60 words from all over it, no sentence
// twice). The teachers label once, before the first epoch. --recipe '{"noise":{"share":0.5}}' disturbs half of the
// sentences that the student sees. Progress goes to stderr; an interrupted run goes on from small.onnx.checkpoint when
// the same command is given again.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { isHfDirectory, openHfDirectory } from "../../packages/formats/dist/hf/node.js";
import { distill, openTeachers } from "../../packages/tagger-training/dist/index.js";
import { rawSentences, sourceOf } from "./raw-text.mjs";
import { argumentsOf, entityReader, treebankSentences, trainAndWrite } from "./training-run.mjs";

const values = argumentsOf({
  teacher: { type: "string", multiple: true, default: [] },
  train: { type: "string", multiple: true, default: [] },
  validation: { type: "string" },
  task: { type: "string", default: "pos" },
  "parts-of-speech": { type: "string", multiple: true, default: [] },
  unlabelled: { type: "string", multiple: true, default: [] },
  architecture: { type: "string", default: "cnn" },
  "student-size": { type: "string", default: "1" },
  temperature: { type: "string", default: "2" },
  alpha: { type: "string", default: "0.5" },
});

/** SHA-256 of a file, or of a directory's weights, with its name. */
async function namedHash(path) {
  const directory = (await isHfDirectory(path)) ? await openHfDirectory(path) : undefined;
  const file = directory === undefined ? path : (directory.safetensorsPath ?? directory.modelPath());
  const hash = createHash("sha256").update(await readFile(file));
  return { name: basename(path), sha256: hash.digest("hex") };
}

const more = values.unlabelled.map(sourceOf);
const texts = more.map(({ path }) => path);
const unlabelled = (await Promise.all(more.map(rawSentences))).flat();
const teachers = await openTeachers(values.teacher);
const [temperature, alpha, studentSize] = ["temperature", "alpha", "student-size"].map((name) =>
  Number(values[name]),
);
const { task, "parts-of-speech": parts } = values;
const entities = entityReader(parts);
const labelled =
  task === "pos"
    ? treebankSentences
    : async (paths) => (await Promise.all(paths.map((path) => entities(path)))).flat();
await trainAndWrite(values, {
  task,
  train: await labelled(values.train),
  validation: await labelled([values.validation]),
  sources: [...values.train, ...parts, ...texts].map((path) => basename(path)),
  record: {
    teachers: await Promise.all(values.teacher.map(namedHash)),
    data: await Promise.all([...values.train, values.validation, ...parts, ...texts].map(namedHash)),
    temperature,
    alpha,
    studentSize,
    unlabelledSentences: unlabelled.length,
  },
  async learn({ train, validation, task: _task, architecture: student, ...run }) {
    const trained = await distill(teachers, {
      ...run,
      student,
      studentSize,
      data: { train, validation },
      unlabelled,
      temperature,
      alpha,
      onTeaching: (sentences) =>
        sentences % 2048 === 0 && console.error(`the teacher has labelled ${sentences} sentences`),
    });
    for (const warning of trained.warnings) console.error(`warning: ${warning}`);
    return trained;
  },
});
