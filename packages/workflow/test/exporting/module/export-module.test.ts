import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { nerInt8, posFastInt8 } from "@nasty/model-en";
import { sentenceEntities, type Tagger, tagText } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportModel } from "../../../src/exporting/export-model.js";
import { importModel } from "../../../src/importing/import-model.js";
import { quantize } from "../../../src/quantization/quantize.js";
import type { ModuleTagger } from "../../../src/exporting/module/inside/tagger-module.js";
import { writeRandomClassifier, writeRandomEncoder } from "../../random-models.js";
import { abortingAt, openTinyFolder, type TinyFolder } from "../../tiny-folder.js";
import { writeVoice } from "../../tiny-graph.js";

const text = `Ada Lovelace and Mr. Babbage didn't meet in Zürich; Acme Inc. said so in 1843.
"Flurbling," she wrote, "isn't easy!" The cat sat on a big red house , because it was quickly built in Paris.`;

interface Exported extends ModuleTagger {
  readonly task: string;
  readonly labels: readonly string[];
  createTagger(options?: { readonly kernels?: object }): Promise<ModuleTagger>;
}

const load = (path: string): Promise<Exported> => import(pathToFileURL(path).href) as Promise<Exported>;
const run = promisify(execFile);

let folder: TinyFolder;
let bare: string;
beforeAll(async () => {
  folder = await openTinyFolder();
  bare = await mkdtemp(join(tmpdir(), "nasty-module-"));
});
afterAll(async () => {
  await folder.remove();
  await rm(bare, { recursive: true });
});

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** What the packages say of a text on the portable engine, in the form of a module. */
async function said(path: string): Promise<object[]> {
  const tagger: Tagger = await openTagger(path, { engine: "portable" });
  try {
    const sentences = await listOf(tagText(tagger, text));
    if (tagger.task === "pos") return sentences;
    const found = await listOf(sentenceEntities(tagger, text));
    return sentences.map((sentence, i) => ({ ...sentence, entities: found[i]?.entities }));
  } finally {
    await tagger.close();
  }
}

describe("a module labels as its model does on the portable engine, to the bit of each score", () => {
  const models: readonly (readonly [string, () => Promise<string>])[] = [
    ["parts of speech, convolutions", async () => fileURLToPath(posFastInt8)],
    ["entities, LSTMs and a chain of labels", async () => fileURLToPath(nerInt8)],
    ["a transformer in float32", async () => folder.path("pos")],
    [
      "a transformer in 8 bits",
      async () =>
        (await quantize(folder.path("pos"), { mode: "dynamic", output: folder.path("8.onnx") }))
          .path as string,
    ],
    [
      "a network of word ids",
      async () =>
        (
          await importModel(folder.path("tfjs"), {
            from: "tfjs",
            task: "pos",
            words: folder.path("tfjs", "words.json"),
            labels: folder.path("tfjs", "labels.json"),
            output: folder.path("sequence.onnx"),
          })
        ).path,
    ],
  ];

  it.each(models)("%s", async (name, modelOf) => {
    const model = await modelOf();
    const output = folder.path(`${name.replaceAll(/\W/g, "-")}.mjs`);
    const exported = await exportModel(model, { target: "module", output });
    const module = await load(output);
    const expected = await said(model);
    expect(await module.tag(text)).toEqual(expected);
    expect(module.labels).toEqual(exported.labels);
    expect(module.task).toBe(exported.task);
    const words = (expected as { words: { form: string; label: string }[] }[]).map((one) => one.words);
    expect(new Set(words.flat().map(({ label }) => label)).size).toBeGreaterThan(2);
    const given = words.map((sentence) => sentence.map(({ form }) => form));
    expect(await module.tagSentences(given)).toEqual(words.map((one) => one.map(({ label }) => label)));
    expect(await module.tagSentences([[], ["Time"]])).toMatchObject([[], [expect.any(String)]]);
  });
});

describe("a written module", () => {
  let output: string;
  let exported: Awaited<ReturnType<typeof write>>;
  const write = (name: string) =>
    exportModel(fileURLToPath(nerInt8), { target: "module", output: folder.path(name) });
  beforeAll(async () => {
    exported = await write("ner.js");
    output = exported.path;
    for (const name of Object.keys(exported.output.files)) await cp(folder.path(name), join(bare, name));
    await writeFile(join(bare, "package.json"), '{ "type": "module" }');
  });

  it("is what the result says", async () => {
    expect(exported).toMatchObject({
      kind: "module",
      task: "ner",
      path: folder.path("ner.js"),
      passed: true,
    });
    expect(Object.keys(exported.output.files)).toEqual(["ner.wasm", "ner.d.ts", "ner.js"]);
    expect(exported.bytes).toBe((await readFile(output)).length);
    expect(exported.checked.words).toBeGreaterThan(30);
    // The code, the kernels and the model in base64: a file that grows has got a stowaway.
    const model = (await readFile(nerInt8)).length;
    expect(exported.bytes).toBeLessThan(1.34 * model + 200_000);
  });

  it("is the same each time", async () => {
    const again = await write("again.js");
    const hash = ({ output: { files } }: typeof again, name: string) => files[name]?.sha256;
    expect(hash(again, "again.wasm")).toBe(hash(exported, "ner.wasm"));
    const [first, second] = await Promise.all([readFile(output, "utf8"), readFile(again.path, "utf8")]);
    expect(second.replace("again.d.ts", "ner.d.ts")).toBe(first);
  });

  /** Runs code beside the module, in a process that may read nothing but that folder and write nothing. */
  async function inBareFolder(code: string): Promise<unknown> {
    await writeFile(join(bare, "main.js"), code);
    const flag =
      Number(process.versions.node.split(".")[0]) < 24 ? "--experimental-permission" : "--permission";
    const { stdout } = await run(
      process.execPath,
      [flag, `--allow-fs-read=${bare}/*`, join(bare, "main.js")],
      {
        cwd: bare,
      },
    );
    return JSON.parse(stdout);
  }

  it("imports nothing, and runs where no package and no file can be read", async () => {
    const found = await inBareFolder(`
      import { tag } from "./ner.js";
      console.log(JSON.stringify(await tag(${JSON.stringify(text)})));`);
    expect(found).toEqual(JSON.parse(JSON.stringify(await said(fileURLToPath(nerInt8)))));
    await expect(
      inBareFolder(
        'import { readFileSync } from "node:fs"; console.log(readFileSync("/etc/hostname").length);',
      ),
    ).rejects.toThrow("ERR_ACCESS_DENIED");
  });

  it("takes compiled kernels where the host may not compile, and has no stream of the host under way then", async () => {
    const found = await inBareFolder(`
      import { createTagger, tag } from "./ner.js";
      import { openAsBlob } from "node:fs";
      const kernels = new WebAssembly.Module(await (await openAsBlob("./ner.wasm")).arrayBuffer());
      WebAssembly.compile = async () => { throw new Error("code generation disallowed"); };
      globalThis.DecompressionStream = class { constructor() { throw new Error("of another request"); } };
      const refused = await createTagger().then(() => "made", ({ message }) => message);
      const tagger = await createTagger({ kernels });
      const [{ entities }] = await tagger.tag("Ada Lovelace lived in London.");
      console.log(JSON.stringify({ refused, entities: entities.map(({ text }) => text) }));`);
    expect(found).toEqual({ refused: "of another request", entities: ["Ada Lovelace", "London"] });
    const forbidden = await inBareFolder(`
      import { tag } from "./ner.js";
      WebAssembly.compile = async () => { throw new Error("code generation disallowed"); };
      const refused = await tag("Hello.").catch(({ message }) => message);
      console.log(JSON.stringify({ refused }));`);
    expect(forbidden).toEqual({
      refused: expect.stringMatching(
        /^createTagger: WebAssembly: .*code generation disallowed.*\{ kernels \}/,
      ),
    });
  });

  it("refuses what is no text and no words, and a tagger that was closed", async () => {
    const { createTagger } = await load(output);
    const tagger = await createTagger();
    await expect(tagger.tag(3 as never)).rejects.toThrow("tag: text: expected a text, got number");
    await expect(tagger.tagSentences(["Time"] as never)).rejects.toThrow("words");
    expect(await tagger.tag("")).toEqual([]);
    await tagger.close();
    await expect(tagger.tag("Hello.")).rejects.toThrow("closed");
  });

  it("makes each line a sentence, and batches of one, where it is asked to", async () => {
    const { tag } = await load(output);
    expect((await tag("One line\nanother line", { onePerLine: true })).length).toBe(2);
    const one = await tag(text, { batchSize: 1 });
    const tagger = await openTagger(fileURLToPath(nerInt8), { engine: "portable" });
    const expected = await listOf(sentenceEntities(tagger, text, { batchSize: 1 }));
    expect(one.map(({ entities }) => entities)).toEqual(expected.map(({ entities }) => entities));
    await tagger.close();
  });
});

describe("types of a module", () => {
  it("spell out labels and entity types, and refuse others", async () => {
    for (const [name, model] of Object.entries({ pos: posFastInt8, ner: nerInt8 }))
      await exportModel(fileURLToPath(model), { target: "module", output: join(bare, `${name}.mjs`) });
    const use = `
      import { createTagger, type Label as Pos, labels, tag, tagSentences, type Tagger } from "./pos.mjs";
      import * as ner from "./ner.mjs";
      const noun: Pos = "NOUN";
      // @ts-expect-error no such label
      const wrong: Pos = "NOON";
      const tagger: Tagger = await createTagger({ kernels: {} });
      for (const { words, multiwordTokens } of await tagger.tag("Time flies.", { onePerLine: true }))
        for (const { form, label, start, end } of words) [form.length, label === noun, end - start, multiwordTokens[0]?.wordsEnd];
      const [first] = await tagSentences([["Time", "flies"]], { batchSize: 1 });
      const known: readonly Pos[] | undefined = first;
      // @ts-expect-error a text is no list of words
      await tagSentences("Time flies");
      // @ts-expect-error parts of speech make no entities
      (await tag("Time flies."))[0]?.entities;
      const [sentence] = await ner.tag("Ada ran.");
      const entity: ner.Entity | undefined = sentence?.entities[0];
      const type: "LOC" | "ORG" | "PER" | undefined = entity?.type;
      const task: "ner" = ner.task;
      await tagger.close();
      export { known, labels, task, type, wrong };`;
    await writeFile(join(bare, "use.mts"), use);
    const compiler = fileURLToPath(
      new URL("../../../../../node_modules/typescript/bin/tsc", import.meta.url),
    );
    const options =
      "--noEmit --strict --exactOptionalPropertyTypes --noUncheckedIndexedAccess --module nodenext";
    const given = [...options.split(" "), "--target", "es2022", "--lib", "es2022", "--types", "", "use.mts"];
    const { stdout } = await run(process.execPath, [compiler, ...given], { cwd: bare }).catch(
      (error) => error,
    );
    expect(stdout).toBe("");
  });
});

describe("an export to a module", () => {
  const to = (model: string, options: object = {}) =>
    exportModel(model, { target: "module", output: folder.path("refused.js"), ...options } as never);

  it("refuses what is no tagger, and says what it is", async () => {
    const path = (name: string) => folder.path(name);
    await writeRandomClassifier(path("classifier"));
    await writeRandomEncoder(path("encoder"));
    await writeVoice(path("voice.onnx"));
    const before = await folder.snapshot();
    await expect(to(path("classifier"))).rejects.toThrow(
      /classifier: --target module: expected a tagger of words, got a classifier of whole texts/,
    );
    await expect(to(path("encoder"))).rejects.toThrow("got an encoder of whole texts");
    await expect(to(path("voice.onnx"))).rejects.toThrow("got a graph without labels and tokenizer");
    expect(await folder.snapshot()).toEqual(before);
  });

  it("refuses options that have no meaning for it", async () => {
    const pos = folder.path("pos");
    const before = await folder.snapshot();
    await expect(
      exportModel([pos, pos], { target: "module", output: folder.path("two.js") }),
    ).rejects.toThrow("--target module: --model: expected one model, got 2");
    await expect(to(pos, { output: folder.path("pos.ts") })).rejects.toThrow("ends in .js or .mjs");
    await expect(to(pos, { output: folder.path("test.conllu", "pos.js") })).rejects.toThrow(
      "expected a folder",
    );
    await expect(to(pos, { modelType: "bert" })).rejects.toThrow("--model-type: expected none");
    await expect(to(pos, { minCosine: 0.9 })).rejects.toThrow("--min-cosine: expected none");
    await expect(to(fileURLToPath(nerInt8), { dtype: "q8" })).rejects.toThrow(
      "--dtype q8: expected a Hugging Face",
    );
    await expect(to(pos, { dtype: "q4" })).rejects.toThrow("q4");
    expect(await folder.snapshot()).toEqual(before);
  });

  it("takes one variant of a directory, and what labels are said to be", async () => {
    const path = folder.path("of-a-variant.js");
    await exportModel(folder.path("pos"), { target: "module", output: path, dtype: "fp32", task: "pos" });
    expect((await (await load(path)).tag("The cat sat."))[0]?.words.map(({ label }) => label)).toEqual([
      "DET",
      "NOUN",
      "VERB",
      "PUNCT",
    ]);
  });

  it("makes the folders of the module, and removes them where it ends early", async () => {
    const before = await folder.snapshot();
    const output = folder.path("deep", "down", "pos.js");
    const { reason, running } = abortingAt("writing");
    const options = { target: "module", output } as const;
    await expect(exportModel(folder.path("pos"), { ...options, ...running })).rejects.toBe(reason);
    expect(await folder.snapshot()).toEqual(before);
    expect((await exportModel(folder.path("pos"), options)).path).toBe(output);
    await rm(folder.path("deep"), { recursive: true });
  });

  it("ends on a signal, and what stood there is as it was", async () => {
    const output = folder.path("kept.js");
    await exportModel(folder.path("pos"), { target: "module", output });
    const before = await folder.snapshot();
    for (const word of ["reading", "opening", "writing"]) {
      const { reason, running } = abortingAt(word);
      await expect(
        exportModel(fileURLToPath(nerInt8), { target: "module", output, ...running }),
      ).rejects.toBe(reason);
    }
    expect(await folder.snapshot()).toEqual(before);
  });
});
