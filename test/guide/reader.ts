import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
// @boundaries-ignore the tiny models are those of the package's tests
import { frames, writeVoice } from "../../packages/workflow/test/tiny-graph.js";
// @boundaries-ignore the tiny models are those of the package's tests
import { jsonLines, topicTexts, writeTextDirectory } from "../../packages/workflow/test/tiny-texts.js";
import type { CodeBlock } from "./code-blocks.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Someone who follows the guide in a folder of their own. */
export interface Reader {
  readonly folder: string;
  /** Does what a block says; throws with its output if that fails. */
  follow(block: CodeBlock): void;
  /**
   * Checks the types of blocks of TypeScript as a project of modules for Node has them; throws what the compiler says.
   */
  check(blocks: readonly CodeBlock[]): void;
  remove(): void;
}

/**
 * Makes a folder as the guide says it looks: `data/` with pieces of the sample text, `models/pos.onnx` (a small BiLSTM
 * tagger) and `models/bert/` (a small transformer in the Hugging Face layout), both trained on a few sentences, tiny
 * models of other kinds, and the packages installed.
 */
export async function openReader(): Promise<Reader> {
  const folder = mkdtempSync(join(tmpdir(), "nasty-guide-"));
  install(folder);
  writeTexts(folder);
  const run = (command: string, args: readonly string[]): void => {
    const bin = join(folder, "node_modules", ".bin");
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
    });
    if (status !== 0) throw new Error(`exit code ${status}\n${stdout}${stderr}`);
  };
  // npx would look for what is installed, at half a second a call.
  const shell = (code: string): void => run("bash", ["-euc", `npx() { "$@"; }\n${code}`]);
  mkdirSync(join(folder, "models"));
  await writeOthers(folder);
  const train = "nasty train --quiet --task pos --train data/train.conllu --validation data/dev.conllu";
  shell(`${train} --architecture bilstm --epochs 3 --output models/pos.onnx`);
  shell(`${train} --architecture transformer --epochs 4 --output models/transformer.onnx`);
  shell("nasty export --quiet --model models/transformer.onnx --output models/bert");
  return {
    folder,
    follow({ language, argument, code, line }) {
      switch (language) {
        case "sh":
          shell(code);
          break;
        case "ts": {
          const file = join(folder, fileOf(line));
          writeFileSync(file, code);
          run(process.execPath, ["--import", "tsx", file]);
          break;
        }
        case "yaml":
          writeFileSync(join(folder, argument), `${code}\n`);
          break;
        case "text": // what a command prints
          break;
        default:
          throw new Error(`line ${line}: language: expected sh, ts, yaml or text, got ${language}`);
      }
    },
    check(blocks) {
      const types = mkdtempSync(join(folder, "types-"));
      // What blocks import that earlier ones wrote.
      symlinkSync(join(folder, "dist"), join(types, "dist"));
      for (const { code, line } of blocks) writeFileSync(join(types, fileOf(line)), `${code}\n`);
      writeFileSync(join(types, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
      run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", types]);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const fileOf = (line: number): string => `line-${line}.ts`;

/** What `tsc --init` gives for Node, and what the packages themselves are compiled with. */
const compilerOptions = {
  module: "nodenext",
  moduleResolution: "nodenext",
  target: "es2023",
  lib: ["es2023", "esnext.disposable"],
  types: ["node"],
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
};

/** The packages and the command, as an installation has them, and what runs and checks TypeScript. */
function install(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  symlinkSync(join(root, "apps/cli/node_modules/@nasty"), join(modules, "@nasty"));
  for (const tool of ["tsx", "@types"]) symlinkSync(join(root, "node_modules", tool), join(modules, tool));
  symlinkSync(join(root, "apps/cli/bin/nasty.js"), join(modules, ".bin", "nasty"));
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
}

/** Models that are no taggers, with their data: a classifier and an encoder of texts, a graph that is fed. */
async function writeOthers(folder: string): Promise<void> {
  await writeTextDirectory(join(folder, "models", "topics"), "classifier");
  await writeTextDirectory(join(folder, "models", "encoder"), "encoder");
  await writeVoice(join(folder, "models", "voice.onnx"));
  writeFileSync(join(folder, "data", "topics.jsonl"), jsonLines(topicTexts(40)));
  writeFileSync(join(folder, "data", "frames.jsonl"), jsonLines(frames));
}

/**
 * Pieces of the sample: train, dev, test and calibration as CoNLL-U, genres as plain text, and sentences with their
 * genre as JSON Lines.
 */
function writeTexts(folder: string): void {
  const sample = readFileSync(join(root, "packages/model-en/sample/sample-en.conllu"), "utf8");
  const sentences = sample.trim().split(/\n\n+/);
  mkdirSync(join(folder, "data"));
  const part = (rest: number): string =>
    sentences
      .filter((_, i) => i % 4 === rest)
      .map((sentence) => `${sentence}\n\n`)
      .join("");
  const write = (name: string, text: string): void => writeFileSync(join(folder, "data", name), text);
  write("train.conllu", part(0) + part(1));
  write("dev.conllu", part(2));
  write("test.conllu", part(3));
  write("calibration.conllu", part(1));
  const textOf = (sentence: string, key: string): string =>
    new RegExp(`^# ${key} = (.*)$`, "m").exec(sentence)?.[1] ?? "";
  const genres = new Map([
    ["news.txt", "news"],
    ["social_media.txt", "chat"],
    ["technical.txt", "technical"],
  ]);
  for (const [name, genre] of genres) {
    const own = sentences.filter((sentence) => textOf(sentence, "genre") === genre);
    write(name, own.map((sentence) => `${textOf(sentence, "text")}\n`).join(""));
  }
  const labelled = sentences.map((sentence) => ({
    text: textOf(sentence, "text"),
    label: textOf(sentence, "genre"),
  }));
  const lines = (isHeld: boolean): string =>
    labelled
      .filter((_, i) => (i % 4 === 3) === isHeld)
      .map((one) => `${JSON.stringify(one)}\n`)
      .join("");
  write("genre-train.jsonl", lines(false));
  write("genre-dev.jsonl", lines(true));
}
