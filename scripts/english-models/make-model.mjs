// Makes one of the default models, or the Danish one, from the data folder, step by step:
//   node scripts/english-models/make-model.mjs pos|pos-fast|ner|ner-da --data DATA --work DIRECTORY [--teacher MORE]… [--epochs N]
// DATA holds ud-english-ewt, uner-english-ewt, gum-open, crossner, broad-twitter, wnut17, sec-filings and raw-text, for
// ner-da uner-danish-ddt, each as published. Every step writes one file of DIRECTORY; a step whose file is there is passed over, and a training
// that was interrupted goes on from its checkpoint, so the same command is given again until it is done. --teacher:
// taggers beside the three that are trained, for pos and pos-fast: a transformer of the same treebank errs elsewhere.
// --epochs replaces those of every training, to try the steps. The file of the model is DIRECTORY/pos.onnx,
// pos-fast.onnx, ner.onnx or ner-da.onnx, for pack-models.mjs. On one thread beside other work a teacher took 21 minutes, and the
// BiLSTM student about 80 where the machine was overloaded (half an hour by its steps on a quiet one).
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
if (data === undefined || work === undefined || !["pos", "pos-fast", "ner", "ner-da"].includes(name)) {
  console.error(
    "pos, pos-fast, ner or ner-da, --data or --work is missing; see the comment at the head of this script",
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
const teachers = [11, 12, 13].map((seed) => ({
  script: "train-pos.mjs",
  output: `teacher-${seed}.onnx`,
  options: [...treebanks, "--seed", String(seed), ...epochs(10)],
}));

/** What a student of parts of speech reads, and of whom. */
const lesson = [
  ...all("--teacher", [...teachers.map(({ output }) => into(output)), ...moreTeachers]),
  ...treebanks,
  ...all("--unlabelled", [
    from("wnut17/emerging.dev.conll"),
    from("broad-twitter/f.conll:2000"),
    from("broad-twitter/b.conll:1000"),
    from("broad-twitter/h.conll:1000"),
    from("raw-text/dialogues.txt:4000"),
    from("raw-text/blogs.txt:6000"),
  ]),
  ...option("--temperature", "1"),
  ...option("--alpha", "0.7"),
];

const characters = { width: 24, filters: [2, 3, 4, 5].map((size) => ({ size, count: 24 })) };
const sections = (weight) =>
  ["a", "b", "e", "f", "g", "h"].map((s) => from(`broad-twitter/${s}.conll:${weight}`));
const domains = (weight) =>
  ["ai", "literature", "music", "politics", "science"].map((d) => from(`crossner/${d}.iob2:${weight}`));

/** Steps by model, in their order; the last one makes the model. */
const steps = {
  pos: [
    ...teachers,
    {
      script: "distil-pos.mjs",
      output: "student.onnx",
      options: [
        ...lesson,
        ...option("--architecture", "bilstm"),
        ...epochs(10),
        ...option("--recipe", { noise: { share: 0.45, lower: 0.5 } }),
        ...option("--network", {
          architecture: { hidden: 160, embedding: { word: 72, affix: 48 } },
          features: { leastCount: 3 },
        }),
      ],
    },
    {
      nasty: "prune",
      input: "student.onnx",
      output: "pos.onnx",
      options: ["--sparsity", "0.3", "--scope", "layer"],
    },
  ],
  "pos-fast": [
    ...teachers,
    {
      script: "distil-pos.mjs",
      output: "pos-fast.onnx",
      options: [
        ...lesson,
        ...option("--architecture", "cnn"),
        ...epochs(16),
        ...option("--recipe", { noise: { share: 0.4, lower: 0.5 } }),
        ...option("--network", { features: { leastCount: 3 } }),
      ],
    },
  ],
  ner: [
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
        ...option("--recipe", { noise: { share: 0.25 } }),
        ...option("--network", {
          architecture: { hidden: 128, embedding: { word: 64, affix: 48, characters } },
          features: { leastCount: 4, affixRows: 4096 },
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
          architecture: { hidden: 128, embedding: { word: 64, affix: 48, characters } },
          features: { leastCount: 2, affixRows: 4096 },
        }),
      ],
    },
  ],
};

await mkdir(work, { recursive: true });
for (const { script, nasty, input, output, options } of steps[name]) {
  if (existsSync(into(output))) {
    console.error(`${output} is there`);
    continue;
  }
  const command =
    nasty === undefined
      ? [fileURLToPath(new URL(script, import.meta.url))]
      : [
          fileURLToPath(new URL("../../apps/cli/bin/nasty.js", import.meta.url)),
          nasty,
          "--model",
          into(input),
        ];
  console.error(`${output}: ${script ?? `nasty ${nasty}`}`);
  const { status, signal } = spawnSync(process.execPath, [...command, ...options, "--output", into(output)], {
    stdio: "inherit",
  });
  if (status !== 0) {
    console.error(`${output}: ended with ${status ?? signal}`);
    process.exit(status ?? 1);
  }
}
