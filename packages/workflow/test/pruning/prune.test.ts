import { historyOf } from "@nasty/compression";
import { readModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compare } from "../../src/comparison/compare.js";
import { compress } from "../../src/compressing/compress.js";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { openModel } from "../../src/models/model.js";
import { prune } from "../../src/pruning/prune.js";
import { quantize } from "../../src/quantization/quantize.js";
import { text } from "../../src/texts/text.js";
import { abortingAt, openTinyFolder, type TinyFolder } from "../tiny-folder.js";

let folder: TinyFolder;
beforeAll(async () => {
  folder = await openTinyFolder();
});
afterAll(() => folder.remove());

const pos = (): string => folder.path("pos");
const test = () => text(folder.path("test.conllu"));
const stepsOf = async (path: string) => historyOf(await readModelFile(path));

describe("prune", () => {
  it("removes heads and neurons by their importance on a text, recovers on the same text, and gives a model", async () => {
    await using model = await openModel(pos());
    const steps = new Set<string>();
    const small = await prune(model, {
      heads: 0.3,
      neurons: 0.3,
      on: test(),
      recover: { epochs: 2 },
      output: folder.path("pos_p30.onnx"),
      onProgress: ({ step }) => void steps.add(step),
    });
    expect(small).toMatchObject({
      model: pos(),
      path: folder.path("pos_p30.onnx"),
      passed: true,
      training: { schedule: "one-shot", epochs: 2 },
      gate: null,
    });
    expect(small.bytes).toBe(small.output?.bytes);
    expect(small.neurons[0]?.after).toBe(Math.round(0.7 * (small.neurons[0]?.before ?? 0)));
    expect([...steps]).toEqual(expect.arrayContaining(["planning what to prune", "epoch 2/2"]));
    // Both texts of the history are the one that was given.
    const [pruned, recovery] = await stepsOf(small.path);
    expect(pruned?.options).toMatchObject({ importance: "first-order" });
    expect(pruned?.data).toEqual({ data: [recovery?.data?.["train"]] });
    expect(recovery).toMatchObject({ step: "recovery", options: { epochs: 2 } });
    expect((await evaluate(small, { on: test() })).modelBytes).toBe(small.bytes);
  });

  it("trains on its own text where it has one, and on all of a text that importance takes a few sentences of", async () => {
    const shares = { structured: true, sparsity: 0.2 } as const;
    const few = text(folder.path("test.conllu"), { sentences: 2 });
    const whole = await prune(pos(), { ...shares, on: few, recover: {}, output: folder.path("few.onnx") });
    const same = await prune(pos(), {
      ...shares,
      on: few,
      recover: { on: test() },
      output: folder.path("same.onnx"),
    });
    expect(whole.output?.sha256).toBe(same.output?.sha256);
  });

  it("takes the one text as training text where single elements go, which need none to be chosen", async () => {
    const zeros = await prune(pos(), {
      sparsity: 0.3,
      on: test(),
      recover: { epochs: 1 },
      output: folder.path("zeros.onnx"),
    });
    expect(zeros.training).toEqual({ schedule: "gradual", epochs: 1 });
    expect((await stepsOf(zeros.path))[0]?.options).toMatchObject({ importance: "magnitude" });
  });

  it("gives a model to quantize and to compare", async () => {
    const small = await prune(pos(), { neurons: 0.2, output: folder.path("narrow.onnx") });
    const int8 = await quantize(small, { output: folder.path("narrow_int8.onnx") });
    expect(int8).toMatchObject({ passed: true, path: folder.path("narrow_int8.onnx") });
    expect(String(await compare([pos(), small, int8], { on: test() }))).toContain("narrow.onnx");
  });

  it("names its output as the command does", async () => {
    const { path } = await prune(pos(), { neurons: 0.25 });
    expect(path).toBe(folder.path("pos_pruned25_structured.onnx"));
  });

  it("says what a model lost that may lose less, and writes nothing", async () => {
    const before = await folder.snapshot();
    const lost = await prune(pos(), {
      sparsity: 0.99,
      gate: { on: test(), maxLoss: 0.01 },
      output: folder.path("lost.onnx"),
    });
    expect(lost).toMatchObject({
      passed: false,
      output: null,
      bytes: 0,
      gate: { original: 1, passed: false },
    });
    expect(lost.gate?.loss).toBeGreaterThan(0.01);
    expect(lost.sparsity).toBeGreaterThan(0.9);
    await expect(compress(lost)).rejects.toThrow("which its gate refused");
    expect(await folder.snapshot()).toEqual(before);
    const kept = await prune(pos(), {
      sparsity: 0.1,
      gate: { on: test(), maxLoss: 0.01 },
      output: folder.path("kept.onnx"),
    });
    expect(kept).toMatchObject({ passed: true, gate: { original: 1, loss: 0, target: 0.01 } });
  });

  it("plans as plain data, which it carries out", async () => {
    const before = await folder.snapshot();
    const plan = await prune.plan(pos(), { structured: true, sparsity: 0.5, on: test() });
    expect(plan).toMatchObject({ importance: "first-order", options: { structured: { neurons: 0.5 } } });
    expect(await folder.snapshot()).toEqual(before);
    const stored: typeof plan = JSON.parse(JSON.stringify(plan));
    const planned = await prune(pos(), { plan: stored });
    expect(planned.path).toBe(folder.path("pos_pruned50_structured.onnx"));
    expect(planned.neurons[0]?.after).toBe(
      (plan.neurons[0]?.neurons ?? 0) - (plan.neurons[0]?.remove.length ?? 0),
    );
    const less = { ...stored, neurons: stored.neurons.map((one) => ({ ...one, remove: [] })) };
    const nothing = await prune(pos(), { plan: less, output: folder.path("nothing.onnx") });
    expect(nothing.parameters.after).toBe(nothing.parameters.before);
    const recovered = await prune(pos(), {
      plan,
      on: test(),
      recover: { epochs: 1 },
      output: folder.path("planned.onnx"),
    });
    expect(recovered.training).toEqual({ schedule: "one-shot", epochs: 1 });
  });

  it.each<[string, object, string]>([
    ["an unknown option", { sparcity: 0.3 }, "prune: sparcity: expected one of model, sparsity, structured"],
    ["an unknown option of a group", { sparsity: 0.3, recover: { epoch: 2 } }, "prune: recover.on"],
    [
      "an unknown option of a recovery",
      { sparsity: 0.3, recover: { on: "train.conllu", epoch: 2 } },
      "prune: recover.epoch: expected one of on, schedule, epochs",
    ],
    ["a share above 1", { heads: 3 }, "prune: heads: expected a number from 0 to 1, got 3"],
    ["nothing to remove", {}, "--sparsity"],
    [
      "units that go as wholes and do not",
      { structured: false, heads: 0.3 },
      "prune: structured: expected no false",
    ],
    ["a text that decides nothing", { sparsity: 0.3, on: "test.conllu" }, "--structured"],
    [
      "a recovery without a text",
      { heads: 0.3, recover: { epochs: 2 } },
      "prune: recover.on: expected the text",
    ],
    [
      "a recovery with a choice of texts",
      { heads: 0.3, on: ["a.conllu", "b.conllu"], recover: {} },
      "prune: recover.on: expected the text to train on, got none, and 2 in on",
    ],
    [
      "standard input twice",
      { heads: 0.3, on: "-", recover: {} },
      "prune: recover.on: expected a file to train on (standard input is read once",
    ],
    [
      "a recovery that is none",
      { heads: 0.3, on: "a.conllu", recover: true },
      "prune: recover: expected an object",
    ],
    ["a limit without a text", { heads: 0.3, gate: { maxLoss: 0.01 } }, "--validation"],
    [
      "a plan that is none",
      { plan: { schemaVersion: 1, options: {} } },
      "prune: plan: expected what prune.plan gives",
    ],
  ])("refuses %s", async (_, options, message) => {
    const before = await folder.snapshot();
    const refusal: unknown = await prune(pos(), options).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: "UsageError", message: expect.stringContaining(message) });
    expect(await folder.snapshot()).toEqual(before);
  });

  it("refuses options beside a plan that has decided them", async () => {
    const plan = await prune.plan(pos(), { sparsity: 0.5 });
    await expect(prune(pos(), { plan, sparsity: 0.3 })).rejects.toThrow(
      "prune: sparsity: expected none beside plan",
    );
    await expect(prune(pos(), { plan, on: test() })).rejects.toThrow("prune: on: expected none beside plan");
    const recover = { on: test(), schedule: "gradual" } as const;
    await expect(prune(pos(), { plan, recover })).rejects.toThrow("recover.schedule: expected one-shot");
  });

  it.each(["planning", "tagging"])("ends while it is %s, and writes nothing", async (word) => {
    const before = await folder.snapshot();
    const { reason, running } = abortingAt(word);
    const pruning = prune(pos(), {
      neurons: 0.3,
      on: test(),
      gate: { on: test() },
      output: folder.path("ended.onnx"),
      ...running,
    });
    await expect(pruning).rejects.toBe(reason);
    expect(await folder.snapshot()).toEqual(before);
  });

  it("ends while it trains with nothing but a checkpoint, from which the same call goes on", async () => {
    const options = { neurons: 0.3, on: test(), recover: { epochs: 3, batchSize: 2 } };
    const whole = await prune(pos(), { ...options, output: folder.path("whole.onnx") });
    const before = Object.keys(await folder.snapshot());
    const output = folder.path("ended.onnx");
    const { reason, running } = abortingAt("epoch 2");
    await expect(prune(pos(), { ...options, output, ...running })).rejects.toBe(reason);
    const left = Object.keys(await folder.snapshot()).filter((name) => !before.includes(name));
    expect(left).toEqual([`${output}.checkpoint`]);
    const steps = new Set<string>();
    const resumed = await prune(pos(), {
      ...options,
      output,
      onProgress: ({ step }) => void steps.add(step),
    });
    expect([...steps]).not.toContain("epoch 1/3");
    expect(resumed.output?.sha256).toBe(whole.output?.sha256);
    expect(Object.keys(await folder.snapshot())).not.toContain(`${output}.checkpoint`);
  });

  it("leaves the environment of the process alone", async () => {
    const before = { ...process.env };
    const seen = new Set<string | undefined>();
    await prune(pos(), {
      sparsity: 0.2,
      gate: { on: test() },
      output: folder.path("environment.onnx"),
      onProgress: () => void seen.add(process.env["TMPDIR"]),
    });
    expect([...seen]).toEqual([before["TMPDIR"]]);
    expect(process.env).toEqual(before);
  });
});
