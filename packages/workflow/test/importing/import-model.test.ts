import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { importModel } from "../../src/importing/import-model.js";
import { abortingAt, openTinyFolder, type TinyFolder } from "../tiny-folder.js";

let folder: TinyFolder;
beforeAll(async () => {
  folder = await openTinyFolder();
});
afterAll(() => folder.remove());

const tagger = () => ({
  from: "tfjs" as const,
  task: "pos" as const,
  words: folder.path("tfjs", "words.json"),
  labels: folder.path("tfjs", "labels.json"),
});

describe("importModel", () => {
  it("makes a tagger of a network and its words and labels", async () => {
    const output = folder.path("pos.onnx");
    const steps: string[] = [];
    const imported = await importModel(folder.path("tfjs"), {
      ...tagger(),
      output,
      onProgress: ({ step, state }) => void (state === "begin" && steps.push(step)),
    });
    expect(imported).toMatchObject({
      from: "tfjs",
      model: folder.path("tfjs"),
      path: output,
      passed: true,
      tagger: { kind: "sequence", task: "pos", words: 32, scheme: null },
    });
    expect(imported.bytes).toBe((await readFile(output)).length);
    expect(steps).toEqual(["reading the model"]);
    expect((await evaluate(imported, { on: folder.path("test.conllu") })).value).toBe(1);
  });

  it("makes a model of the network alone", async () => {
    const output = folder.path("network.onnx");
    const { tagger: none, inputs } = await importModel(folder.path("tfjs"), { from: "tfjs", output });
    expect(none).toBeNull();
    expect(inputs.map(({ name }) => name)).toEqual(["ids"]);
  });

  it("refuses options that are unknown, missing or of no use without others", async () => {
    const output = folder.path("refused.onnx");
    const from = (more: object) => importModel(folder.path("tfjs"), { from: "tfjs", output, ...more });
    const before = await folder.snapshot();
    await expect(from({ from: "keras" })).rejects.toThrow("import: from: expected one of tfjs");
    await expect(from({ wordList: "words.json" })).rejects.toThrow("import: wordList: expected one of from");
    await expect(from({ output: undefined })).rejects.toThrow("import: output: expected a value");
    await expect(from({ task: "pos" })).rejects.toThrow("expected --words and --labels with it");
    await expect(from({ lowercase: true })).rejects.toThrow(
      "expected --task and --words and --labels with it",
    );
    await expect(importModel(undefined as never, { from: "tfjs", output })).rejects.toThrow(
      "import: directory",
    );
    expect(await folder.snapshot()).toEqual(before);
  });

  it("ends on a signal and writes nothing", async () => {
    const before = await folder.snapshot();
    const { reason, running } = abortingAt("reading");
    const importing = importModel(folder.path("tfjs"), {
      ...tagger(),
      output: folder.path("ended.onnx"),
      ...running,
    });
    await expect(importing).rejects.toBe(reason);
    expect(await folder.snapshot()).toEqual(before);
  });
});
