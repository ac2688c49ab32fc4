import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

describe("nasty prune", () => {
  it("zeros the smallest weights, writes the tagger along and says what zeros do not do", async () => {
    const result = await shop.json([
      "prune",
      "--model",
      "pos",
      "--sparsity",
      "0.2",
      "--output",
      "pruned.onnx",
    ]);
    expect(result.output.path).toBe("pruned.onnx");
    expect(result.output.bytes).toBe((await shop.bytes("pruned.onnx")).length);
    expect(result.sparsity).toBeGreaterThanOrEqual(0.19);
    expect(result.warnings.join()).toContain("neither the run faster");
    const evaluated = await shop.json(["eval", "--model", "pruned.onnx", "--test", "test.conllu"]);
    expect(evaluated.metric).toBe("accuracy");
    const inspected = await shop.json(["inspect", "--model", "pruned.onnx"]);
    expect(inspected.history[0].step).toBe("prune");
  });

  it("keeps the vocabulary of a text and still tags every word", async () => {
    await shop.write("some.txt", "The cat sat.\n");
    const result = await shop.json([
      "prune",
      "--model",
      "pos",
      "--vocabulary",
      "some.txt",
      "--output",
      "words.onnx",
    ]);
    expect(result.vocabulary.after).toBeLessThan(result.vocabulary.before);
    const evaluated = await shop.json(["eval", "--model", "words.onnx", "--test", "test.conllu"]);
    expect(evaluated.value).toBeLessThan(1);
    await shop.write(
      "some.conllu",
      "1\tThe\t_\tDET\t_\t_\t_\t_\t_\t_\n2\tcat\t_\tNOUN\t_\t_\t_\t_\t_\t_\n\n",
    );
    const kept = await shop.json(["eval", "--model", "words.onnx", "--test", "some.conllu"]);
    expect(kept.value).toBe(1);
  });

  it("removes neurons that labelled text does without", async () => {
    const result = await shop.json([
      "prune",
      "--model",
      "pos",
      "--sparsity",
      "0.25",
      "--structured",
      "--data",
      "test.conllu:8",
      "--output",
      "narrow.onnx",
    ]);
    expect(result.neurons[0].after).toBe(Math.round(0.75 * result.neurons[0].before));
    expect(result.warnings).toEqual([]);
    expect(result.parameters.after).toBeLessThan(result.parameters.before);
    const evaluated = await shop.json(["eval", "--model", "narrow.onnx", "--test", "test.conllu"]);
    expect(evaluated.metric).toBe("accuracy");
  });

  it("plans without writing", async () => {
    const result = await shop.json(["prune", "--model", "pos", "--sparsity", "0.2", "--dry-run"]);
    expect(result.output).toBeNull();
    expect(result.plan.tensors.length).toBeGreaterThan(0);
  });

  it("refuses what cannot be done", async () => {
    expect(await shop.refused(3, ["prune", "--model", "pos", "--layers", "1"])).toContain(
      "expected encoder layers on one residual stream",
    );
    expect(await shop.refused(3, ["prune", "--model", "pos", "--sparsity", "1"])).toContain(
      "sparsity: expected a share from 0 to below 1, got 1",
    );
    expect(await shop.refused(2, ["prune", "--model", "pos", "--sparsity", "1.5"])).toContain("from 0 to 1");
    expect(
      await shop.refused(2, ["prune", "--model", "pos", "--sparsity", "0.1", "--data", "test.conllu"]),
    ).toContain("--structured");
  });
});

describe("nasty compress", () => {
  it.each([
    ["gzip", ".gz"],
    ["brotli", ".br"],
  ])("writes %s that every command reads", async (method, suffix) => {
    await shop.json(["prune", "--model", "pos", "--sparsity", "0", "--output", "plain.onnx"]);
    const result = await shop.json(["compress", "--model", "plain.onnx", "--method", method]);
    expect(result.output.path).toBe(`plain.onnx${suffix}`);
    expect(result.output.bytes).toBeLessThan(result.modelBytes);
    const evaluated = await shop.json(["eval", "--model", result.output.path, "--test", "test.conllu"]);
    expect(evaluated.value).toBe(1);
  });

  it("refuses files that are compressed already", async () => {
    await shop.json(["prune", "--model", "pos", "--sparsity", "0", "--output", "again.onnx"]);
    await shop.json(["compress", "--model", "again.onnx"]);
    expect(await shop.refused(3, ["compress", "--model", "again.onnx.gz"])).toContain("not compressed");
  });
});
