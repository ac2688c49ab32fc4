import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspect, openModel, score, tag } from "../../src/index.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { openTinyFolder, type TinyFolder } from "../tiny-folder.js";

let folder: TinyFolder;
beforeAll(async () => {
  folder = await openTinyFolder();
});
afterAll(() => folder.remove());

describe("evaluate", () => {
  it("measures an open model or a path, says its steps, and what the text was taken for", async () => {
    const steps: string[] = [];
    await using model = await openModel(folder.path("pos"));
    const options = {
      on: folder.path("test.conllu"),
      onProgress: ({ step }: { step: string }) => void steps.push(step),
    };
    const result = await evaluate(model, options);
    expect(result).toMatchObject({ task: "pos", metric: "accuracy", value: 1, exactBatches: false });
    expect(steps.every((step) => step.startsWith("evaluating "))).toBe(true);
    expect(steps.length).toBeGreaterThan(0);
    const { value } = await evaluate(folder.path("pos"), { on: folder.path("test.conllu") });
    expect(value).toBe(1);
  });

  it("ends on the signal while it tags", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const evaluating = evaluate(folder.path("pos"), {
      on: folder.path("test.conllu"),
      signal: controller.signal,
      onProgress: ({ state }) => void (state === "begin" && controller.abort(reason)),
    });
    await expect(evaluating).rejects.toBe(reason);
  });

  it("refuses an unknown option by its name, with the one that was meant", async () => {
    const options = { on: folder.path("test.conllu"), exactBatch: true } as never;
    await expect(evaluate(folder.path("pos"), options)).rejects.toThrow(
      /^eval: exactBatch: expected one of .*; did you mean exactBatches\?$/,
    );
  });
});

describe("without a written file", () => {
  it("score compares two labelled texts", async () => {
    const text = folder.path("test.conllu");
    expect(await score(text, text)).toMatchObject({ task: "pos", value: 1 });
  });

  it("inspect says what a model holds", async () => {
    const { tagger, parameters } = await inspect(folder.path("pos"));
    expect(tagger?.task).toBe("pos");
    expect(parameters).toBeGreaterThan(0);
  });

  it("tag writes a text's words with their labels, and ends on the signal", async () => {
    let written = "";
    const write = (piece: string) => void (written += piece);
    const model = folder.path("pos");
    const { sentences } = await tag(folder.path("test.conllu"), write, { model, format: "text" });
    expect(sentences).toBeGreaterThan(1);
    expect(written.trimEnd().split("\n")).toHaveLength(sentences);
    const reason = new Error("enough");
    const ended = tag(folder.path("test.conllu"), write, { model, signal: AbortSignal.abort(reason) });
    await expect(ended).rejects.toBe(reason);
  });
});
