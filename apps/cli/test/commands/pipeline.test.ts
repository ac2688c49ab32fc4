import { once } from "node:events";
import { readdir, readFile, rename, stat, truncate } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { conllu, sentences } from "../tiny-corpus.js";
import { pipeline } from "../../src/commands/pipeline.js";
import { GateError, reporterOf } from "@nasty/workflow/command";
import { toJson } from "@nasty/workflow/report";
import type { Terminal } from "../../src/terminal/console.js";
import { tinyModel, writeTinyDirectory } from "../tiny-tagger.js";
import { type Json, openWorkshop, startBinary, type Workshop } from "../workshop.js";

const recipes = fileURLToPath(new URL("../../../../examples/recipes/", import.meta.url));

type PipelineOptions = Parameters<typeof pipeline>[0];

let shop: Workshop;

interface Ran {
  readonly result: Json;
  readonly notes: readonly string[];
  readonly error: unknown;
}

/** Runs in this process: most of what a run of the binary takes is its start. */
async function attempt(recipe: string, options: Partial<PipelineOptions> = {}): Promise<Ran> {
  let result: Json;
  const notes: string[] = [];
  const terminal: Terminal = {
    ...reporterOf({
      onProgress: ({ step, state }) => void (state === "begin" && notes.push(step)),
      onNote: (text) => void notes.push(text),
    }),
    result: (value) => (result = JSON.parse(toJson(value))),
    write: () => Promise.resolve(),
  };
  const output = shop.path(options.output ?? recipe.replace(".yaml", ""));
  const error: unknown = await pipeline(
    { seed: 1, threads: 1, inputFormat: [], ...options, output },
    terminal,
    resolve(shop.folder, recipe),
  ).catch((thrown: unknown) => thrown);
  return { result, notes, error };
}

async function run(recipe: string, options: Partial<PipelineOptions> = {}): Promise<Omit<Ran, "error">> {
  const { error, ...ran } = await attempt(recipe, options);
  if (error !== undefined) throw error;
  return ran;
}

beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("train.conllu", conllu());
  await shop.write("few.txt", sentences.filter((sentence) => !sentence.includes("loud")).join("\n\n"));
});
afterAll(() => shop.remove());

const texts = `
  train: train.conllu
  calibration: { file: test.conllu, part: 1/2 }
  validation: test.conllu
  unlabelled: few.txt
`;

/** Writes a recipe of the tiny tagger. With a test text, all models are judged and measured, which takes seconds. */
function recipe(name: string, steps: string, { model = "pos", test = "" } = {}): Promise<string> {
  const measured = test === "" ? "" : `  test: ${test}\n`;
  return shop.write(name, `model: ${model}\n\ndata:${texts}${measured}\nsteps:\n${steps}`);
}

const quantize = `
  - quantize:
      mode: static
      method: percentile
      percentile: 99.99
      per-channel: true
      target-accuracy-loss: 0.01
`;

/** What the report says of the steps. */
const statuses = ({ stages }: Json): string[] => stages.map(({ kind, status }: Json) => `${kind}: ${status}`);

/** Names and times of all files below a folder. */
async function filesOf(folder: string): Promise<Record<string, number>> {
  const names = await readdir(shop.path(folder), { recursive: true });
  const times = names.sort().map(async (name) => [name, (await stat(shop.path(folder, name))).mtimeMs]);
  return Object.fromEntries(await Promise.all(times));
}

test("the command runs the mobile recipe's shape: named outputs, one report, history in the files", async () => {
  const steps = `${quantize}\n  - compress:\n      method: gzip\n`;
  const path = await recipe("mobile.yaml", steps, { test: "test.conllu" });
  const result = await shop.json(["pipeline", path, "--output", "mobile", "--report", "mobile.html"]);
  expect(result).toMatchObject({ recipe: "mobile.yaml", model: "pos", test: "test.conllu", refused: null });
  expect(result.output).toBe(shop.path("mobile"));
  expect(statuses(result)).toEqual(["start: start", "quantize: done", "compress: done"]);
  const [first, quantized, compressed] = result.stages;
  expect(first).toMatchObject({ step: 0, metric: "accuracy", value: 1, loss: 0, sizeRatio: 1, speedup: 1 });
  expect(quantized).toMatchObject({ step: 1, value: 1, loss: 0, lossCi95: [0, 0] });
  expect(quantized.result.gate).toMatchObject({ passed: true, target: 0.01 });
  expect(quantized.result.method).toBe("percentile");
  for (const stage of [quantized, compressed]) {
    expect(stage.output.bytes).toBe((await readFile(stage.output.path)).length);
    expect(stage.sizeRatio).toBeCloseTo(first.output.bytes / stage.output.bytes, 8);
    expect(stage.msPerSentence.p50).toBeGreaterThan(0);
    expect(stage.memoryBytes).toBeGreaterThan(0);
  }
  expect([quantized, compressed].map(({ output }: Json) => basename(output.path))).toEqual([
    "pos_int8_percentile.onnx",
    "pos_int8_percentile.onnx.gz",
  ]);
  const { history } = await shop.json(["inspect", "--model", compressed.output.path]);
  expect(history.map(({ step }: Json) => step)).toEqual(["quantize", "compress"]);
  expect(history[0].inputSha256).toMatch(/^[0-9a-f]{64}$/);
  // Half of the sentences, every other one.
  const part = await readFile(shop.path("mobile", "data", "calibration.conllu"), "utf8");
  const forms = part.match(/^# text = .*$/gm)?.map((line) => line.slice(9));
  expect(forms).toEqual(sentences.filter((_, index) => index % 2 === 0));
  const html = await readFile(shop.path("mobile.html"), "utf8");
  expect(html).toContain("<h1>Pipeline mobile.yaml</h1>");
  expect(html).toContain(compressed.output.sha256);

  const { stdout, stderr } = await shop.nasty(["pipeline", path, "--output", "mobile"]);
  expect(stdout).toContain("2 of 2 steps were done by an earlier run");
  expect(stdout).toContain("1 quantize: gate passed, loss 0.00 of at most 1.00 points of accuracy");
  expect(stderr).toBe(
    "step 1 of 2: quantize: done by an earlier run, unchanged\nstep 2 of 2: compress: done by an earlier run, unchanged\n",
  );
});

describe("a second run", () => {
  const steps = (options = ""): string =>
    `  - prune:\n      sparsity: 0.1\n  - quantize:\n      mode: dynamic\n${options}  - eval: { on: validation }\n  - compress\n`;
  const ends = (...[prune, quantize, evaluation, compress]: string[]): string[] => [
    "start: start",
    `prune: ${prune}`,
    `quantize: ${quantize}`,
    `eval: ${evaluation}`,
    `compress: ${compress}`,
  ];

  test("does no work; what an option or a text changes is redone with what follows", async () => {
    await recipe("again.yaml", steps());
    const first = await run("again.yaml");
    expect(statuses(first.result)).toEqual(ends("done", "done", "done", "done"));
    const files = await filesOf("again");
    const second = await run("again.yaml");
    expect(statuses(second.result)).toEqual(ends("skipped", "skipped", "skipped", "skipped"));
    expect(second.notes).toHaveLength(4);
    expect(second.result.stages[3].result).toEqual(first.result.stages[3].result);
    const { "pipeline.json": _, ...same } = await filesOf("again");
    expect(files).toMatchObject(same);

    await recipe("again.yaml", steps("      per-channel: false\n"));
    const changed = await run("again.yaml", { resume: true });
    expect(statuses(changed.result)).toEqual(ends("skipped", "done", "done", "done"));
    expect(changed.result.stages[2].result.tensors[0].granularity).toBe("per-tensor");
    expect(statuses((await run("again.yaml", { seed: 2 })).result)).toEqual(
      ends("done", "done", "done", "done"),
    );
    expect(statuses((await run("again.yaml", { seed: 2, fresh: true })).result)).toEqual(
      ends("done", "done", "done", "done"),
    );
    await shop.write("test.conllu", `${conllu()}${conllu(["a dog ran ."])}`);
    const other = await run("again.yaml", { seed: 2 });
    expect(statuses(other.result)).toEqual(ends("skipped", "skipped", "done", "skipped"));
    await shop.write("test.conllu", conllu());
  });

  test("makes a half-written output again; the folder may be moved", async () => {
    await recipe("half.yaml", steps());
    const first = await run("half.yaml");
    const { output } = first.result.stages[2];
    await truncate(output.path, 100);
    const second = await run("half.yaml");
    expect(statuses(second.result)).toEqual(ends("skipped", "done", "skipped", "skipped"));
    expect(second.result.stages[2].output).toEqual(output);
    await rename(shop.path("half"), shop.path("moved"));
    const moved = await run("half.yaml", { output: "moved" });
    expect(statuses(moved.result)).toEqual(ends("skipped", "skipped", "skipped", "skipped"));
    expect(moved.result.stages[2].output.path).toBe(shop.path("moved", basename(output.path)));
  });

  test("goes on behind the last finished step after a failure, which says where it was", async () => {
    // Compressed files are not compressed again.
    await recipe("fails.yaml", `${steps()}  - compress\n`);
    const { error, notes } = await attempt("fails.yaml");
    expect(error).toMatchObject({
      kind: "input",
      message: expect.stringMatching(/^step 5 \(compress\): .*; outputs of the steps before it are kept$/),
    });
    expect(notes).toContain("step 4 of 5: compress");
    await recipe("fails.yaml", `${steps()}  - eval: { on: validation }\n`);
    const { result } = await run("fails.yaml");
    expect(statuses(result)).toEqual([...ends("skipped", "skipped", "skipped", "skipped"), "eval: done"]);
  });

  test("an interrupted run leaves nothing half-written and goes on behind its last finished step", async () => {
    const path = await recipe("stop.yaml", steps());
    const child = startBinary(shop.folder, ["pipeline", path, "--output", "stop"]);
    child.stderr.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes("step 2 of 4")) child.kill("SIGINT");
    });
    child.stdout.resume();
    await once(child, "exit");
    const names = await readdir(shop.path("stop"));
    expect(names.filter((name) => name.startsWith("."))).toEqual([]);
    const { result } = await run("stop.yaml");
    expect(statuses(result).slice(0, 2)).toEqual(["start: start", "prune: skipped"]);
    expect(result.stages.at(-1).output.bytes).toBeGreaterThan(0);
  });

  test("--resume wants an earlier run; folders with other files are left alone", async () => {
    const path = await recipe("none.yaml", steps());
    const resume = ["pipeline", path, "--output", "nothing", "--resume"];
    expect(await shop.refused(3, resume)).toContain("expected an earlier run (pipeline.json), got none");
    expect(await shop.refused(3, ["pipeline", path, "--output", "pos"])).toContain(
      "expected an empty folder, a new one, or that of an earlier run, got",
    );
    expect(await shop.refused(2, [...resume, "--fresh"])).toContain("cannot be used with");
  });
});

test("--dry-run checks the recipe and prints the plan, nothing is written", async () => {
  const path = await recipe("plan.yaml", `${quantize}\n  - prune: { sparsity: 0.3 }\n  - compress\n`);
  const before = await readdir(shop.folder);
  const { result } = await run(path, { dryRun: true });
  expect(result.steps.map(({ kind, outputName }: Json) => [kind, outputName])).toEqual([
    ["quantize", "pos_int8_percentile.onnx"],
    ["prune", "pos_int8_percentile_pruned30.onnx"],
    ["compress", "pos_int8_percentile_pruned30.onnx.gz"],
  ]);
  const { stdout } = await shop.nasty(["pipeline", path, "--dry-run"]);
  expect(stdout).toContain(`-> ${shop.path("pipeline-plan")}`);
  expect(stdout).toContain("Plan of plan.yaml: 3 steps on pos");
  expect(await readdir(shop.folder)).toEqual(before);
});

test.each(["mobile", "prune-distill", "prune-quantize-compress"])(
  "examples/recipes/%s.yaml is a good recipe for a fresh checkout",
  async (name) => {
    const { result } = await run(join(recipes, `${name}.yaml`), { dryRun: true, output: name });
    expect(result.model).toBe("default");
    expect(result.steps[0].outputName).toMatch(/^pos-en_.*\.onnx$/);
  },
);

test("the recipe for mobile devices quantizes in two steps, each behind its gate, and compresses", async () => {
  const { result } = await run(join(recipes, "mobile.yaml"), { output: "mobile-run" });
  expect(result.refused).toBeNull();
  expect(result.stages.map(({ kind }: Json) => kind)).toEqual(["start", "quantize", "quantize", "compress"]);
  const sizes = result.stages.map(({ output }: Json) => output.bytes);
  // A third of the quantized file are the words that the tagger knows.
  expect(sizes[2]).toBeLessThan(0.35 * sizes[0]);
}, 120_000);

describe("a gate that fails", () => {
  test("ends the run with code 4; what was made before it is kept, the report printed", async () => {
    const steps =
      "  - prune: { sparsity: 0.1 }\n  - prune: { sparsity: 0.99 }\n  - eval: { on: validation, target-accuracy-loss: 0.05 }\n  - compress\n";
    const path = await recipe("gate.yaml", steps);
    const ended = await shop.nasty(["pipeline", path, "--output", "gate", "--json"]);
    expect(ended.code, ended.stderr).toBe(4);
    expect(ended.stderr).toContain(
      "step 3 (eval): eval: validation: accuracy gate: expected a loss of at most 5.00 points of accuracy, got ",
    );
    const result = JSON.parse(ended.stdout) as Json;
    expect(result.refused).toMatchObject({ step: 3, kind: "eval", result: { on: "validation" } });
    expect(result.refused.result.loss).toBeGreaterThan(0.05);
    expect(statuses(result)).toEqual(["start: start", "prune: done", "prune: done"]);
    expect(await readdir(shop.path("gate"))).toEqual(
      expect.arrayContaining(["pos_pruned10.onnx", "pos_pruned10_pruned99.onnx"]),
    );
  });

  test("of quantize brings its figures along", async () => {
    await writeTinyDirectory(shop.path("fragile"), { fragile: true });
    const steps =
      "  - prune: { sparsity: 0.1 }\n  - quantize: { mode: dynamic, target-accuracy-loss: 0, per-channel: false, fallback: false }\n";
    await recipe("fragile.yaml", steps, { model: "fragile" });
    const { error, result } = await attempt("fragile.yaml", { output: "fragile-out" });
    expect(error).toBeInstanceOf(GateError);
    expect(result.refused).toMatchObject({
      step: 2,
      kind: "quantize",
      result: { output: null, gate: { passed: false, target: 0 } },
    });
    expect(await readdir(shop.path("fragile-out"))).toContain("fragile_pruned10.onnx");
  });
});

test("texts by name, a transformer that recovers, an export beside the chain", async () => {
  const steps =
    "  - prune: { vocabulary: unlabelled }\n  - fine-tune: { epochs: 1, learning-rate: 1e-9, keep-head: true }\n  - export\n  - quantize: { mode: dynamic }\n  - export: { target: module }\n  - eval: { on: validation }\n";
  await recipe("train.yaml", steps);
  const { result } = await run("train.yaml");
  const done = ["prune", "fine-tune", "export", "quantize", "export", "eval"].map((kind) => `${kind}: done`);
  expect(statuses(result)).toEqual(["start: start", ...done]);
  expect(result.stages.slice(1, 6).map(({ output }: Json) => basename(output.path))).toEqual([
    "pos_pruned_vocabulary.onnx",
    "pos_pruned_vocabulary_tuned",
    "pos_pruned_vocabulary_tuned_export",
    "pos_pruned_vocabulary_tuned_int8_dynamic.onnx",
    "pos_pruned_vocabulary_tuned_int8_dynamic_export.js",
  ]);
  expect(result.stages[1].result.vocabulary.after).toBeLessThan(result.stages[1].result.vocabulary.before);
  // The words of the sentence that was left out: "oh", "it" and "loud" of 53.
  expect(result.stages[6].result.loss).toBeCloseTo(3 / 53, 8);
  expect(await readdir(result.stages[2].output.path)).not.toContain("checkpoint");
  const { history } = await shop.json(["inspect", "--model", result.stages[4].output.path]);
  expect(history.map(({ step }: Json) => step)).toEqual(["prune", "fine-tune", "quantize"]);
});

test("a model that is trained to be quantized goes on as the quantized file", async () => {
  const steps =
    "  - fine-tune: { qat: true, qat-activations: dynamic, epochs: 1, learning-rate: 1e-6, keep-head: true }\n  - compress\n  - eval: { on: validation }\n";
  await recipe("qat.yaml", steps);
  const { result } = await run("qat.yaml");
  const [first, tuned, compressed, judged] = result.stages;
  expect(tuned.output.path).toBe(shop.path("qat", "pos_qat", "onnx", "model_quantized.onnx"));
  expect(tuned.sizeRatio).toBeGreaterThan(1.5);
  expect(basename(compressed.output.path)).toBe("pos_qat.onnx.gz");
  expect(compressed.output.bytes).toBeLessThan(first.output.bytes / 1.5);
  expect(judged.result.value).toBe(1);
  await recipe("qat.yaml", "  - fine-tune: { bits: 4 }\n");
  expect((await attempt("qat.yaml")).error).toMatchObject({
    code: "invalid-recipe",
    message: expect.stringContaining("step 1 (fine-tune): --bits: expected --qat with it, got none"),
  });
});

test("a model without a tagger has sizes only", async () => {
  await writeModelFile(shop.path("bare.onnx"), tinyModel());
  await recipe("bare.yaml", "  - quantize: { mode: dynamic }\n  - compress\n", {
    model: "bare.onnx",
    test: "test.conllu",
  });
  const { result } = await run("bare.yaml", { output: "bare-out" });
  expect(result).toMatchObject({ test: null, refused: null });
  expect(result.stages[1]).toMatchObject({ value: null, loss: null, msPerSentence: null, memoryBytes: null });
  expect(result.stages[1].sizeRatio).toBeGreaterThan(1);
  await recipe("bare.yaml", "  - eval: { on: validation }\n", { model: "bare.onnx" });
  const { error } = await attempt("bare.yaml", { output: "bare-out" });
  expect((error as Error).message).toContain("step 1 (eval): model: expected labels and a tokenizer");
});

test.each([
  ["calibration", { outputNoise: expect.any(Number), loss: null }],
  ["validation", { outputNoise: expect.any(Number), loss: expect.any(Number) }],
])("sensitivity is measured on %s text", async (text, row) => {
  const steps = "  - quantize: { mode: dynamic, sensitivity: true }\n";
  const name = `sensitive-${text}.yaml`;
  await shop.write(name, `model: pos\ndata: { ${text}: test.conllu }\nsteps:\n${steps}`);
  const { result } = await run(name);
  expect(result.stages[1].result.sensitivity).toHaveLength(3);
  expect(result.stages[1].result.sensitivity[0]).toMatchObject(row);
});

test("a model teaches a network, which later steps know for what it is", async () => {
  const steps =
    "  - distill: { student: cnn, student-size: 0.25, epochs: 1 }\n  - distill: { student-size: 0.2, epochs: 1 }\n  - quantize: { mode: dynamic }\n";
  await recipe("distill.yaml", steps);
  const { result } = await run("distill.yaml");
  expect(result.stages.slice(1).map(({ output }: Json) => basename(output.path))).toEqual([
    "pos_cnn25.onnx",
    "pos_cnn25_student20.onnx",
    "pos_cnn25_student20_int8_dynamic.onnx",
  ]);
  expect(result.stages[1].result).toMatchObject({ student: "cnn", metric: "accuracy" });
  const [, large, small] = result.stages.map(({ output }: Json) => output.bytes);
  expect(small).toBeLessThan(large);
});

describe("a bad recipe is refused with line, column and what to write, before anything runs", () => {
  test.each([
    [
      "  - quantize:\n      methd: percentile\n",
      [11, 7],
      /^step 1 \(quantize\): option: expected one of .*, got methd; did you mean method\?$/,
    ],
    ["  - quantise\n", [10, 5], /^step 1: expected one of .*, got quantise; did you mean quantize\?$/],
    [
      "  - quantize:\n      method: percentle\n",
      [11, 15],
      /^step 1 \(quantize\): method: expected one of minmax, percentile, .*, got percentle$/,
    ],
    [
      "  - prune:\n      sparsity: 1.5\n",
      [11, 17],
      /^step 1 \(prune\): sparsity: expected a number from 0 to 1, got 1.5$/,
    ],
    [
      "  - compress\n  - quantize:\n      mode: dynamic\n      percentile: 99\n",
      [13, 7],
      /^step 2 \(quantize\): --percentile 99: expected --method percentile, got none$/,
    ],
    [
      "  - quantize:\n      symmetric: true\n      asymmetric: true\n",
      [11, 7],
      /^step 1 \(quantize\): --symmetric: expected no --asymmetric beside it, which excludes it, got both$/,
    ],
    [
      "  - quantize: { output: x.onnx }\n",
      [10, 17],
      /^step 1 \(quantize\): option: expected one of .*, got output/,
    ],
    [
      "  - distill\n  - fine-tune: { epoch: 3 }\n",
      [11, 18],
      /^step 2 \(fine-tune\): option: expected one of .*; did you mean epochs\?$/,
    ],
  ])("%j", async (steps, [line, column], message) => {
    await recipe("bad.yaml", steps);
    const { error } = await attempt("bad.yaml");
    expect(error).toMatchObject({ kind: "input", code: "invalid-recipe", line, column });
    const place = `readRecipe: ${shop.path("bad.yaml")}: line ${line}, column ${column}: `;
    expect((error as Error).message.startsWith(place)).toBe(true);
    expect((error as Error).message.slice(place.length)).toMatch(message);
    expect(await readdir(shop.folder)).not.toContain("bad");
  });

  test.each([
    [
      "model: nowhere\nsteps: [compress]\n",
      "line 1, column 8: model: expected a model file, a Hugging Face directory or default, got none at",
    ],
    [
      "model: pos\ndata:\n  test: no.conllu\nsteps: [eval]\n",
      "line 3, column 9: data: test: expected a file, got none at",
    ],
    [
      "model: pos\nsteps:\n  - quantize: { mode: static }\n",
      "line 3, column 5: step 1 (quantize): data: expected calibration in the data section",
    ],
    ["model: pos\nsteps:\n  - fine-tune\n", "expected train in the data section"],
    [
      "model: pos\nsteps:\n  - compress\n  - quantize:\n      mode: dynamic\n      sensitivity: true\n",
      "line 6, column 7: step 2 (quantize): --sensitivity: expected --calibration FILE or --validation FILE to measure on",
    ],
    [
      "model: default\ndata: { train: train.conllu }\nsteps:\n  - compress\n  - distill\n",
      "line 5, column 5: step 2 (distill): data: expected validation in the data section (the best epoch is chosen by it), got none",
    ],
    [
      "model: pos\ndata: { train: train.conllu, calibration: test.conllu }\nsteps:\n  - distill: { student: cnn, validation: calibration }\n  - distill\n",
      "line 5, column 5: step 2 (distill): data: expected validation in the data section",
    ],
    ["model: pos\nsteps:\n  - prune: { sparsity: 0.2, epochs: 1 }\n", "expected train in the data section"],
    [
      "model: pos\ndata: { train: { file: train.conllu, part: 20/20 } }\nsteps: [{ prune: { vocabulary: train } }]\n",
      "line 2, column 16: data: train: part 20/20: expected at least 1 sentence, got 0 of 8",
    ],
  ])("what is not there: %j", async (text, message) => {
    await shop.write("bad.yaml", text);
    const { error } = await attempt("bad.yaml");
    expect(error).toMatchObject({ kind: "input", code: "invalid-recipe" });
    expect((error as Error).message).toContain(message);
  });

  test("by the command: code 3, one line, no file", async () => {
    await recipe("bad.yaml", "  - quantise\n");
    expect(await shop.refused(3, ["pipeline", "bad.yaml"])).toContain("bad.yaml: line 10, column 5: ");
    expect(await shop.refused(3, ["pipeline", "missing.yaml"])).toContain("missing.yaml: no such file");
    await shop.write("large.yaml", "#".repeat(1_000_001));
    expect(await shop.refused(3, ["pipeline", "large.yaml"])).toContain("at most 1000000 bytes, got 1000001");
  });
});
