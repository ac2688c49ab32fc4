// Makes one of the default models, or the Danish one, from the data folder, step by step:
//   node scripts/english-models/make-model.mjs pos|pos-fast|pos-tiny|ner|ner-da --data DATA --work DIRECTORY [--teacher MORE]… [--epochs N]
// DATA holds ud-english-ewt, uner-english-ewt, gum-open, crossner, broad-twitter, wnut17, sec-filings and raw-text (for
// ner-da uner-danish-ddt alone), each as published; word vectors are fetched (word-vectors.mjs). Every step writes one
// file of DIRECTORY; a step whose file is there is passed over, and a training that was interrupted goes on from its
// checkpoint, so the same command is given again until it is done. --teacher: taggers beside the two that are trained,
// for parts of speech: a transformer of the same treebank errs elsewhere. --epochs replaces those of every training, to
// try the steps. The file of the model is DIRECTORY/NAME.onnx, for pack-models.mjs.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string" },
    work: { type: "string" },
    teacher: { type: "string", multiple: true, default: [] },
    epochs: { type: "string" },
  },
});
const { data, work, teacher: moreTeachers } = values;
const [name] = positionals;
if (
  data === undefined ||
  work === undefined ||
  !["pos", "pos-fast", "pos-tiny", "ner", "ner-da"].includes(name)
) {
  console.error(
    "pos, pos-fast, pos-tiny, ner or ner-da, --data or --work is missing; see the comment at the head of this script",
  );
  process.exit(2);
}

const from = (path) => join(data, path);
const into = (file) => join(work, file);
const ewt = (part) => from(`ud-english-ewt/en_ewt-ud-${part}.conllu`);
const gum = from("gum-open/gum-open-train.conllu");
const all = (flag, list) => list.flatMap((value) => [flag, value]);
/** A flag with its value; objects as JSON. */
const option = (flag, value) => [flag, typeof value === "string" ? value : JSON.stringify(value)];
const epochs = (usual) => option("--epochs", values.epochs ?? String(usual));

const treebanks = [...all("--train", [ewt("train"), gum]), "--validation", ewt("dev")];

/** Word vectors, which networks read as codes. */
const vectors = { script: "word-vectors.mjs", output: "vectors.txt", options: ["--words", "120000"] };
const codes = (limit, width, books) => [
  "--vectors",
  into(vectors.output),
  ...option("--codes", { limit, width, books }),
];

const teachers = [
  {
    script: "train-pos.mjs",
    output: "teacher-11.onnx",
    options: [...treebanks, "--seed", "11", ...epochs(10)],
  },
  {
    script: "train-pos.mjs",
    output: "teacher-21.onnx",
    options: [...treebanks, "--seed", "21", ...epochs(10), ...codes(120_000, 100, 8)],
  },
];

/** Who teaches the accurate and the tiny student; the teacher with word vectors has two votes. */
const trainedTeachers = [
  ...["teacher-21.onnx", "teacher-21.onnx", "teacher-11.onnx"].map(into),
  ...moreTeachers,
];

/** What a student of parts of speech reads, and of whom. */
const lesson = (teacherFiles, dialogues, blogs) => [
  ...all("--teacher", teacherFiles),
  ...treebanks,
  ...all("--unlabelled", [
    from("wnut17/emerging.dev.conll"),
    from("broad-twitter/f.conll:2000"),
    from("broad-twitter/b.conll:1000"),
    from("broad-twitter/h.conll:1000"),
    from(`raw-text/dialogues.txt:${dialogues}`),
    from(`raw-text/blogs.txt:${blogs}`),
  ]),
  ...option("--temperature", "1"),
  ...option("--alpha", "0.7"),
];

/** A student of parts of speech. */
const student = (
  output,
  { of = trainedTeachers, text, architecture, coded, share, network, passes, seed = 1 },
) => ({
  script: "distil.mjs",
  output,
  options: [
    ...lesson(of, ...text),
    ...option("--architecture", architecture),
    ...option("--seed", String(seed)),
    ...epochs(passes),
    ...codes(...coded),
    ...option("--recipe", { noise: { share, lower: 0.5 } }),
    ...option("--network", network),
  ],
});

const characters = (width, count) => ({ width, filters: [2, 3, 4, 5].map((size) => ({ size, count })) });
const sections = (weight) =>
  ["a", "b", "e", "f", "g", "h"].map((s) => from(`broad-twitter/${s}.conll:${weight}`));
const domains = (weight) =>
  ["ai", "literature", "music", "politics", "science"].map((d) => from(`crossner/${d}.iob2:${weight}`));

/** Zeros in a student's weights, which pack well. */
const pruned = (input, { share, output }) => ({
  script: "../../apps/cli/bin/nasty.js",
  output,
  options: ["prune", "--model", into(input), "--sparsity", String(share), "--scope", "layer"],
});

/** The steps of the accurate tagger, which teaches the fast one. */
const accurate = [
  vectors,
  ...teachers,
  student("student.onnx", {
    text: [12_000, 24_000],
    architecture: "bilstm",
    coded: [60_000, 64, 4],
    share: 0.45,
    passes: 8,
    network: {
      architecture: { hidden: 128, embedding: { word: 64, affix: 48 } },
      features: { leastCount: 8 },
    },
  }),
  pruned("student.onnx", { share: 0.2, output: "pos.onnx" }),
];

/** Steps by model, in their order; the last one makes the model. */
const steps = {
  pos: accurate,
  "pos-fast": [
    ...accurate,
    student("fast-student.onnx", {
      of: [into("pos.onnx")],
      text: [12_000, 24_000],
      architecture: "cnn",
      coded: [60_000, 96, 4],
      share: 0.4,
      passes: 16,
      seed: 5,
      network: { features: { leastCount: 8 } },
    }),
    pruned("fast-student.onnx", { share: 0.2, output: "pos-fast.onnx" }),
  ],
  "pos-tiny": [
    vectors,
    ...teachers,
    student("pos-tiny.onnx", {
      text: [4000, 8000],
      architecture: "cnn",
      coded: [12_000, 40, 3],
      share: 0.4,
      passes: 8,
      network: {
        architecture: {
          layers: 3,
          embeddingDropout: 0.1,
          layerDropout: 0.1,
          outputDropout: 0.1,
          embedding: { word: 40, affix: 40, shape: 40, characters: characters(12, 10) },
        },
        features: { leastCount: 60, affixRows: 2048, shapeRows: 256 },
      },
    }),
  ],
  ner: [
    vectors,
    { script: "gum-names.mjs", output: "gum-names.iob2", options: ["--input", gum] },
    {
      script: "train-ner.mjs",
      output: "ner.onnx",
      options: [
        ...option("--train", from("uner-english-ewt/en_ewt-ud-train.iob2")),
        ...option("--validation", from("uner-english-ewt/en_ewt-ud-dev.iob2")),
        ...all("--parts-of-speech", [ewt("train"), gum]),
        ...all("--extra", [
          into("gum-names.iob2:0.8"),
          ...domains(0.5),
          ...sections(0.4),
          from("sec-filings/FIN5.txt:0.15"),
        ]),
        ...all("--wnut", [from("wnut17/wnut17train.conll:0.4"), from("wnut17/emerging.dev.conll:0.4")]),
        ...epochs(9),
        ...codes(60_000, 64, 4),
        ...option("--recipe", { noise: { share: 0.25 } }),
        ...option("--network", {
          architecture: { hidden: 128, embedding: { word: 64, affix: 48, characters: characters(24, 24) } },
          features: { leastCount: 8, affixRows: 4096 },
        }),
      ],
    },
  ],
  "ner-da": [
    {
      script: "train-ner.mjs",
      output: "ner-da.onnx",
      options: [
        ...option("--train", from("uner-danish-ddt/da_ddt-ud-train.iob2")),
        ...option("--validation", from("uner-danish-ddt/da_ddt-ud-dev.iob2")),
        ...option("--language", "da"),
        ...epochs(20),
        ...option("--recipe", { noise: { share: 0.2 } }),
        ...option("--network", {
          architecture: { hidden: 128, embedding: { word: 64, affix: 48, characters: characters(24, 24) } },
          features: { leastCount: 2, affixRows: 4096 },
        }),
      ],
    },
  ],
};

await mkdir(work, { recursive: true });
for (const { script, output, options } of steps[name]) {
  if (existsSync(into(output))) {
    console.error(`${output} is there`);
    continue;
  }
  console.error(`${output}: ${script}`);
  const command = [fileURLToPath(new URL(script, import.meta.url)), ...options, "--output", into(output)];
  const { status, signal } = spawnSync(process.execPath, command, { stdio: "inherit" });
  if (status !== 0) {
    console.error(`${output}: ended with ${status ?? signal}`);
    process.exit(status ?? 1);
  }
}
