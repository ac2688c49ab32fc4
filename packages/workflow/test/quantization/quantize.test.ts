import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { conllu } from "../../../../apps/cli/test/tiny-corpus.js";
// @boundaries-ignore the tiny models are those of the command's tests
import { writeTinyDirectory } from "../../../../apps/cli/test/tiny-tagger.js";
import { InputError, UsageError } from "../../src/errors.js";
import { openModel } from "../../src/models/model.js";
import { quantize, type QuantizePlanOptions } from "../../src/quantization/quantize.js";
import type { QuantizePlan } from "../../src/quantization/quantize-plan.js";
import type { ProgressEvent } from "../../src/reporter.js";
import { text } from "../../src/texts/text.js";

let folder: string;
let remove: () => Promise<void>;
const path = (...parts: string[]): string => join(folder, ...parts);
beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-quantize-test"));
  await writeTinyDirectory(path("pos"));
  await writeTinyDirectory(path("other"), { outlier: true });
  await writeTinyDirectory(path("fragile"), { fragile: true });
  await writeFile(path("dev.conllu"), conllu());
});
afterAll(() => remove());

const on = (): ReturnType<typeof text> => text(path("dev.conllu"));
const bytesOf = (name: string): Promise<Buffer> => readFile(path(name));

test("one call calibrates, quantizes, gates and compresses", async () => {
  const int8 = await quantize(path("pos"), {
    calibration: on(),
    gate: { on: on(), maxLoss: 0.01 },
    compress: "gzip",
  });
  // Left out, the output is the model's name with the mode or method added.
  expect(int8).toMatchObject({ passed: true, mode: "static", path: path("pos_int8_minmax.onnx.gz") });
  expect(int8.bytes).toBe((await bytesOf("pos_int8_minmax.onnx.gz")).length);
  expect(int8.gate?.flips).toBe(0);
  expect(int8.audit.quantizedKernels).toBeGreaterThan(0);
  expect(int8.tensors.length).toBeGreaterThan(0);
  expect(int8.drift.outputs[0]?.cosine).toBeGreaterThan(0.99);
  await rm(int8.path);
});

test("a refused model is a result: nothing is written, and it is no model for what comes next", async () => {
  const before = await readdir(folder);
  const refused = await quantize(path("fragile"), {
    gate: { on: on(), maxLoss: 0.01, fallback: false },
    output: path("refused.onnx"),
  });
  expect(refused).toMatchObject({ passed: false, output: null, bytes: 0, gate: { passed: false } });
  expect(await readdir(folder)).toEqual(before);
  await expect(quantize(refused)).rejects.toThrow(
    `quantize: model: expected a model that was written, got ${path("refused.onnx")}, which its gate refused`,
  );
});

test("what was written is a model for the next operation", async () => {
  const first = await quantize(path("pos"), { mode: "weight-only", output: path("first.onnx") });
  await expect(quantize(first, { mode: "dynamic", output: path("second.onnx") })).rejects.toThrow(
    "got a model that is quantized already",
  );
  await rm(first.path);
});

/**
 * Options of every kind of plan: what is measured once, what reads its text again to be carried out, what needs none.
 */
const plans: readonly (readonly [string, QuantizePlanOptions])[] = [
  [
    "static",
    { mode: "static", calibration: "dev.conllu", method: "percentile", skipLayers: ["/classifier/**"] },
  ],
  ["dynamic", { mode: "dynamic" }],
  ["int4", { mode: "int4" }],
  ["weight-only", { mode: "weight-only" }],
  ["gptq", { mode: "int4", calibration: "dev.conllu" }],
  ["a size", { targetSize: 16_000, calibration: "dev.conllu" }],
  ["corrected biases", { calibration: "dev.conllu", correctBiases: true }],
  ["migrated outliers", { calibration: "dev.conllu", migrateOutliers: true }],
];

test.each(plans)("a plan survives JSON and gives the same file as its options: %s", async (_, options) => {
  const given = { ...options, ...(options.calibration !== undefined && { calibration: on() }), seed: 5 };
  const gate = { on: on(), maxLoss: 1 };
  const planned = await quantize.plan(path("pos"), given);
  const plan = JSON.parse(JSON.stringify(planned)) as QuantizePlan;
  expect(plan).toEqual(planned);
  const direct = await quantize(path("pos"), { ...given, gate, output: path("direct.onnx") });
  const applied = await quantize(path("pos"), { plan, gate, output: path("applied.onnx") });
  expect((await bytesOf("applied.onnx")).equals(await bytesOf("direct.onnx"))).toBe(true);
  // The original is asked in another session: its sums are rounded otherwise.
  const same = { path: "", output: null, drift: null };
  expect({ ...applied, ...same }).toEqual({ ...direct, ...same });
  // Of a file this small the hash of the gate's text, which a plan does not know, is some thousandths.
  expect(Math.abs(plan.estimatedBytes / direct.bytes - 1)).toBeLessThan(0.02);
});

test("planning writes nothing", async () => {
  const before = await readdir(folder);
  const plan = await quantize.plan(path("pos"), { calibration: on() });
  expect(plan).toMatchObject({ mode: "static", method: "minmax", model: { path: path("pos") } });
  expect(plan.plan.activations.length).toBeGreaterThan(0);
  expect(await readdir(folder)).toEqual(before);
});

test("a plan of another model, what is none, and options that it says already are refused", async () => {
  const plan = await quantize.plan(path("pos"), { mode: "dynamic" });
  const other = quantize(path("other"), { plan, output: path("no.onnx") });
  await expect(other).rejects.toThrow(InputError);
  await expect(other).rejects.toThrow(
    /other: plan: expected the model that it was made for \(.*pos, SHA-256/,
  );
  const beside = quantize(path("pos"), { plan, mode: "int4" });
  await expect(beside).rejects.toThrow(UsageError);
  await expect(beside).rejects.toThrow("quantize: mode: expected no plan beside it, which says it already");
  const none = quantize(path("pos"), { plan: {} as QuantizePlan });
  await expect(none).rejects.toThrow(
    "quantize: plan: schemaVersion: expected 1 (a plan of quantize.plan), got none",
  );
});

test("a plan whose text has changed since is refused where it is read again", async () => {
  await writeFile(path("changing.conllu"), conllu());
  const plan = await quantize.plan(path("pos"), { mode: "int4", calibration: path("changing.conllu") });
  await writeFile(path("changing.conllu"), `${conllu()}\n`);
  await expect(quantize(path("pos"), { plan, output: path("no.onnx") })).rejects.toThrow(
    /plan: calibration .*changing\.conllu: expected the text that the plan was made with/,
  );
});

test("unknown and contradictory options are refused in a sentence that names them", async () => {
  const unknown = { callibration: on() } as object;
  await expect(quantize(path("pos"), unknown)).rejects.toThrow(
    /quantize: callibration: expected one of .*calibration/,
  );
  await expect(quantize(path("pos"), { symmetric: true, asymmetric: true })).rejects.toThrow(
    "quantize: symmetric: expected no asymmetric beside it",
  );
  await expect(quantize(path("pos"), { gate: { maxLoss: 0.1 } })).rejects.toThrow("--validation FILE");
});

test("progress comes as events, and an abort ends the work with nothing written", async () => {
  const events: ProgressEvent[] = [];
  const options = { calibration: on(), gate: { on: on(), maxLoss: 0.01 }, output: path("watched.onnx") };
  await quantize(path("pos"), { ...options, onProgress: (event) => events.push(event) });
  await rm(path("watched.onnx"));
  const steps = [...new Set(events.map(({ step }) => step))];
  expect(steps[0]).toMatch(/^calibrating on \d+ sentences/);
  expect(steps).toContain("running the original");
  const before = await readdir(folder);
  for (const last of steps) {
    const stop = new AbortController();
    const work = quantize(path("pos"), {
      ...options,
      signal: stop.signal,
      onProgress: ({ step }) => step === last && stop.abort(new Error("enough")),
    });
    // What has only its name to get is finished.
    if (last !== steps.at(-1)) await expect(work, last).rejects.toThrow("enough");
    else await work.catch(() => undefined);
    await rm(path("watched.onnx"), { force: true });
    expect(await readdir(folder)).toEqual(before);
  }
});

test("an open model is used as it was read, and is as it was afterwards", async () => {
  const direct = await quantize(path("pos"), { calibration: on(), output: path("direct.onnx") });
  await using model = await openModel(path("pos"));
  const options = { calibration: on(), gate: { on: on(), maxLoss: 0.01 } };
  const tagged = async (): Promise<string[]> => {
    const labels: string[] = [];
    for await (const { words } of model.tagText("The big cat sat on a red house.")) {
      labels.push(...words.map(({ label }) => label));
    }
    return labels;
  };
  const labels = await tagged();
  const first = await quantize(model, { ...options, output: path("first.onnx") });
  const second = await quantize(model, { ...options, output: path("second.onnx") });
  expect((await bytesOf("second.onnx")).equals(await bytesOf("first.onnx"))).toBe(true);
  expect(first.tensors).toEqual(direct.tensors);
  expect(second.gate).toEqual(first.gate);
  expect(await tagged()).toEqual(labels);
  const dynamic = { mode: "dynamic", gate: options.gate } as const;
  const open = await quantize(model, { ...dynamic, output: path("open.onnx") });
  const read = await quantize(path("pos"), { ...dynamic, output: path("read.onnx") });
  expect(open.gate).toEqual(read.gate);
  expect((await bytesOf("open.onnx")).equals(await bytesOf("read.onnx"))).toBe(true);
});

test("a model that was replaced since it was opened is read again", async () => {
  await writeTinyDirectory(path("replaced"));
  await using model = await openModel(path("replaced"));
  await writeTinyDirectory(path("replaced"), { task: "ner" });
  const open = await quantize(model, { mode: "dynamic", output: path("open.onnx") });
  const read = await quantize(path("replaced"), { mode: "dynamic", output: path("read.onnx") });
  expect((await bytesOf("open.onnx")).equals(await bytesOf("read.onnx"))).toBe(true);
  expect(open.tensors).toEqual(read.tensors);
});
