// Loads Hugging Face directories with transformers.js, offline, and compares its labels with those of this project.
//
//   npm install @huggingface/transformers   (anywhere; it is no dependency of the project)
//   node scripts/check-transformers-js.mjs DIR... --text FILE.conllu [--sentences 50] [--library FOLDER]
//
// FOLDER is where node_modules/@huggingface/transformers is; the working folder unless given. Words are joined by
// spaces, so that both sides see the same text; a word's label is that of its first subword. Exit code 1 if a directory
// does not load or a label differs.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { readConlluFile } from "../packages/formats/dist/conllu/node.js";
import { modelFileName } from "../packages/formats/dist/hf/index.js";
import { openHfDirectory } from "../packages/formats/dist/hf/node.js";
import { openTagger } from "../packages/taggers/dist/node.js";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    text: { type: "string" },
    sentences: { type: "string", default: "50" },
    library: { type: "string", default: "." },
    /** Prints our labels of the sentences as JSON: the two runtimes cannot live in one process. */
    ours: { type: "string" },
  },
});
if (positionals.length === 0 || values.text === undefined) {
  console.error(
    "usage: check-transformers-js.mjs DIR... --text FILE.conllu [--sentences N] [--library FOLDER]",
  );
  process.exit(2);
}

const sentences = [];
for await (const { rows } of readConlluFile(values.text)) {
  const words = rows.filter(({ kind }) => kind === "word").map(({ form }) => form);
  // A space inside a word would make two of it on the other side.
  if (words.length > 0 && words.length <= 60 && words.every((word) => !/\s/.test(word)))
    sentences.push(words);
  if (sentences.length === Number(values.sentences)) break;
}

if (values.ours === undefined) await compareAll();
else console.log(JSON.stringify(await ours(positionals[0], values.ours)));

async function ours(path, variant) {
  const tagger = await openTagger(path, { variant });
  const all = [];
  for await (const labels of tagger.tag(sentences, { batchSize: 1 })) all.push(labels);
  await tagger.close();
  return all;
}

async function compareAll() {
  const library = await openLibrary();
  for (const path of positionals) {
    const directory = await openHfDirectory(path);
    library.env.localModelPath = `${dirname(resolve(path))}/`;
    for (const variant of directory.models.keys()) {
      try {
        const differing = await compare(library, { path, directory, variant });
        if (differing > 0) process.exitCode = 1;
      } catch (error) {
        process.exitCode = 1;
        console.log(`${path} ${modelFileName(variant)}: ${error.message.split("\n")[0]}`);
      }
    }
  }
}

async function openLibrary() {
  const name = "@huggingface/transformers";
  try {
    const file = createRequire(join(resolve(values.library), "package.json")).resolve(name);
    const loaded = await import(pathToFileURL(file).href);
    const library = loaded.pipeline === undefined ? loaded.default : loaded;
    library.env.allowRemoteModels = false;
    return library;
  } catch (error) {
    const why = error.message.split("\n")[0];
    console.error(`${name} is not installed in ${values.library}: nothing was checked (${why})`);
    process.exit(1);
  }
}

/** Number of words that get another label. */
async function compare(library, { path, directory, variant }) {
  const { models, config } = directory;
  // What the directory says by itself is not asked for.
  const isPreferred = models.has("fp32") ? variant === "fp32" : config.preferredDtype === variant;
  const options = isPreferred ? {} : { dtype: variant };
  const pipe = await library.pipeline("token-classification", basename(resolve(path)), options);
  const wanted = ["--text", values.text, "--sentences", values.sentences, "--ours", variant];
  const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), path, ...wanted]);
  const mine = JSON.parse(output.toString());
  const flips = [];
  let words = 0;
  let leftOut = 0;
  for (const [s, sentence] of sentences.entries()) {
    const text = sentence.join(" ");
    const tokens = await pipe(text, { ignore_labels: [] });
    const labels = new Map(tokens.map(({ index, entity }) => [index, entity]));
    const scored = await labelsByScore(pipe, text);
    for (const [w, index] of (await firstTokens(pipe.tokenizer, sentence)).entries()) {
      words += 1;
      // The pipeline leaves out what decodes to nothing, such as an unknown token; the model has scores for it.
      if (!labels.has(index)) leftOut += 1;
      const theirs = labels.get(index) ?? scored[index];
      if (theirs === mine[s][w]) continue;
      flips.push(`${sentence[w]}: ours ${mine[s][w]}, theirs ${theirs} (sentence ${s + 1}, word ${w + 1})`);
    }
  }
  await pipe.dispose();
  const how = `${sentences.length} sentences, transformers.js ${library.env.version}${isPreferred ? "" : `, dtype ${variant}`}`;
  console.log(
    `${path} ${modelFileName(variant)}: ${flips.length} of ${words} words differ${leftOut === 0 ? "" : `, ${leftOut} unknown words left out by the pipeline`} (${how})`,
  );
  for (const flip of flips.slice(0, 5)) console.log(`  ${flip}`);
  return flips.length;
}

/** Label of the best score at each position. */
async function labelsByScore(pipe, text) {
  const { logits } = await pipe.model(await pipe.tokenizer(text));
  const [, length, labels] = logits.dims;
  return Array.from({ length }, (_, position) => {
    const scores = logits.data.slice(position * labels, (position + 1) * labels);
    return pipe.model.config.id2label[scores.indexOf(Math.max(...scores))];
  });
}

/** Index of each word's first subword among the tokens of the text, the special one in front counted. */
async function firstTokens(tokenizer, words) {
  const lengthOf = async (text) => (await tokenizer(text)).input_ids.dims[1];
  const special = await lengthOf("");
  const front = special === 0 ? 0 : 1;
  const at = [front];
  for (let i = 1; i < words.length; i++) {
    at.push((await lengthOf(words.slice(0, i).join(" "))) - special + front);
  }
  return at;
}
