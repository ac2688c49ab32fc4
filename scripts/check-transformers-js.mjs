// Loads Hugging Face directories with transformers.js, offline, and compares its labels with those of this project.
//
//   npm install @huggingface/transformers   (anywhere; it is no dependency of the project)
//   node scripts/check-transformers-js.mjs DIR... --text FILE.conllu [--sentences 50] [--library FOLDER]
//
// FOLDER is where node_modules/@huggingface/transformers is; the working folder unless given. Words are joined by spaces, so that both
// sides see the same text; a word's label is that of its first subword. Exit code 1 if a directory does not load or a label differs.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { modelFileName } from "../packages/formats/dist/hf/index.js";
import { openHfDirectory } from "../packages/formats/dist/hf/node.js";
import { readConlluFile } from "../packages/formats/dist/conllu/node.js";
import { openTagger } from "../packages/taggers/dist/node.js";

const { positionals: directories, values } = parseArgs({
  allowPositionals: true,
  options: {
    text: { type: "string" },
    sentences: { type: "string", default: "50" },
    library: { type: "string", default: "." },
  },
});
if (directories.length === 0 || values.text === undefined) {
  console.error(
    "usage: check-transformers-js.mjs DIR... --text FILE.conllu [--sentences N] [--library FOLDER]",
  );
  process.exit(2);
}

const name = "@huggingface/transformers";
const require = createRequire(join(resolve(values.library), "package.json"));
let library;
try {
  const file = require.resolve(name);
  library = await import(pathToFileURL(file).href);
} catch (error) {
  console.error(
    `${name} is not installed in ${values.library}: nothing was checked (${error.message.split("\n")[0]})`,
  );
  process.exit(1);
}
library = library.pipeline === undefined ? library.default : library;
library.env.allowRemoteModels = false;
const { version } = library.env;

const sentences = [];
for await (const { rows } of readConlluFile(values.text)) {
  const words = rows.filter(({ kind }) => kind === "word").map(({ form }) => form);
  // A space inside a word would make two of it on the other side.
  if (words.length > 0 && words.length <= 60 && words.every((word) => !/\s/.test(word)))
    sentences.push(words);
  if (sentences.length === Number(values.sentences)) break;
}

/** Index of each word's first subword among the tokens of the text, the special ones in front counted. */
async function firstTokens(tokenizer, words) {
  const length = async (text) => (await tokenizer(text)).input_ids.dims[1];
  const special = (await tokenizer("")).input_ids.dims[1];
  const front = special === 0 ? 0 : 1;
  const at = [];
  for (let i = 0; i < words.length; i++) {
    const before = words.slice(0, i).join(" ");
    at.push(i === 0 ? front : (await length(before)) - special + front);
  }
  return at;
}

let failed = false;
for (const path of directories) {
  const directory = await openHfDirectory(path);
  library.env.localModelPath = `${dirname(resolve(path))}/`;
  for (const variant of directory.models.keys()) {
    const where = `${path} ${modelFileName(variant)}`;
    try {
      const preferred =
        directory.config.preferredDtype === variant || (variant === "fp32" && directory.models.has("fp32"));
      // What the directory says by itself is not asked for.
      const options = preferred ? {} : { dtype: variant };
      const pipe = await library.pipeline("token-classification", basename(resolve(path)), options);
      const tagger = await openTagger(path, { variant });
      let words = 0;
      const flips = [];
      const ours = [];
      for await (const labels of tagger.tag(sentences, { batchSize: 1 })) ours.push(labels);
      for (const [s, sentence] of sentences.entries()) {
        const tokens = await pipe(sentence.join(" "), { ignore_labels: [] });
        const byIndex = new Map(tokens.map(({ index, entity }) => [index, entity]));
        for (const [w, index] of (await firstTokens(pipe.tokenizer, sentence)).entries()) {
          words += 1;
          const theirs = byIndex.get(index);
          if (theirs !== ours[s][w])
            flips.push(
              `${sentence[w]}: ours ${ours[s][w]}, theirs ${theirs} (sentence ${s + 1}, word ${w + 1})`,
            );
        }
      }
      await tagger.close();
      await pipe.dispose();
      console.log(
        `${where}: ${flips.length} of ${words} words differ (${sentences.length} sentences, transformers.js ${version}${preferred ? "" : `, dtype ${variant}`})`,
      );
      for (const flip of flips.slice(0, 5)) console.log(`  ${flip}`);
      failed ||= flips.length > 0;
    } catch (error) {
      failed = true;
      console.log(`${where}: ${error.message}`);
    }
  }
}
process.exitCode = failed ? 1 : 0;
