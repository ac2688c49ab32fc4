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

  it("trains while it prunes, or after it, and measures the written file", async () => {
    const plain = await shop.json([
      "prune",
      "--model",
      "pos",
      "--sparsity",
      "0.99",
      "--validation",
      "test.conllu",
      "--output",
      "plain.onnx",
    ]);
    expect(plain.gate).toMatchObject({ metric: "accuracy", original: 1, target: null, passed: true });
    expect(plain.gate.loss).toBeCloseTo(plain.gate.original - plain.gate.pruned);
    expect(plain.training).toBeNull();
    const training = ["--train", "test.conllu", "--validation", "test.conllu", "--epochs", "6"];
    const fast = [...training, "--learning-rate", "0.01", "--batch-size", "4"];
    const gradual = await shop.json([
      "prune",
      "--model",
      "pos",
      "--sparsity",
      "0.99",
      ...fast,
      "--output",
      "g.onnx",
    ]);
    expect(gradual.training).toEqual({ schedule: "gradual", epochs: 6 });
    expect(gradual.sparsity).toBeCloseTo(plain.sparsity, 2);
    expect(gradual.gate.pruned).toBeGreaterThan(plain.gate.pruned);
    const [pruned, recovery] = (await shop.json(["inspect", "--model", "g.onnx"])).history;
    expect(pruned.step).toBe("prune");
    expect(recovery).toMatchObject({
      step: "recovery",
      options: { schedule: "gradual", epochs: 6, batchSize: 4 },
    });
    const oneShot = await shop.json([
      "prune",
      "--model",
      "pos",
      "--sparsity",
      "0.99",
      ...fast,
      "--schedule",
      "one-shot",
      "--output",
      "o.onnx",
    ]);
    expect(oneShot.sparsity).toBeCloseTo(plain.sparsity, 2);
    expect(oneShot.output.sha256).not.toBe(gradual.output.sha256);
    const narrow = await shop.json([
      "prune",
      "--model",
      "pos",
      "--sparsity",
      "0.5",
      "--structured",
      ...fast,
      "--output",
      "n.onnx",
    ]);
    expect(narrow.training.schedule).toBe("one-shot");
    expect(narrow.parameters.after).toBeLessThan(narrow.parameters.before);
    expect(narrow.gate.pruned).toBeGreaterThan(0.9);
  }, 60_000);

  it("refuses a model that lost more than allowed, with the figures", async () => {
    const args = ["prune", "--model", "pos", "--sparsity", "0.99", "--validation", "test.conllu"];
    const message = await shop.refused(4, [
      ...args,
      "--target-accuracy-loss",
      "0.01",
      "--output",
      "lost.onnx",
    ]);
    expect(message).toMatch(
      /expected a loss of at most 1\.00 points of accuracy, got \d+\.\d\d \(100\.00 -> /,
    );
    const noText = ["prune", "--model", "pos", "--sparsity", "0.2"];
    expect(await shop.refused(2, [...noText, "--target-accuracy-loss", "0.01"])).toContain("--validation");
    expect(await shop.refused(2, [...noText, "--schedule", "gradual"])).toContain("--train");
    const structured = [...noText, "--structured", "--train", "test.conllu"];
    expect(await shop.refused(2, [...structured, "--schedule", "gradual"])).toContain(
      "single elements alone",
    );
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
