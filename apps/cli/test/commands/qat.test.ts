import { qat } from "@nasty/compression";
import { readModelFile } from "@nasty/formats/onnx/node";
import { findTagger } from "@nasty/taggers/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkAgreement, exportTrained } from "@nasty/workflow/fine-tuning";
import { exportText } from "../../src/training/trained-text.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

const files = ["--task", "pos", "--train", "test.conllu", "--validation", "test.conllu"];
const base = ["fine-tune", "--model", "pos", ...files, "--epochs", "3", "--learning-rate", "0.02"];
const recordOf = async (path: string) => qat.record(await readModelFile(shop.path(path)));

test("fine-tune --qat writes what was trained beside the float model, and proves it", async () => {
  const tune = (output: string, ...args: string[]) => shop.json([...base, "--output", output, ...args]);
  const tuned = await tune("tuned", "--qat");
  expect(tuned.qat).toMatchObject({ bits: 8, activations: "static" });
  expect(tuned.qat.path).toMatch(/tuned\/onnx\/model_quantized\.onnx$/);
  expect(tuned.qat.agreement).toMatchObject({ share: 1, required: 0.999 });
  expect(tuned.qat.value).toBeGreaterThan(0.5);
  const { value } = await shop.json([
    "eval",
    "--model",
    "tuned/onnx/model_quantized.onnx",
    "--test",
    "test.conllu",
  ]);
  expect(value).toBeCloseTo(tuned.qat.value, 9);
  const record = await recordOf("tuned/onnx/model.onnx");
  expect(Object.keys(record?.activations ?? {}).length).toBeGreaterThan(0);

  // The same ranges, without calibration text.
  const again = await shop.json(["quantize", "--mode", "static", "--model", "tuned"]);
  expect(again.output.path).toMatch(/tuned_qat\.onnx$/);
  expect(again.warnings.join()).toContain("the ranges that the model was trained with (moving averages)");
  const scales = async (path: string) =>
    (await readModelFile(path)).graph?.initializer
      .filter(({ name }) => name.endsWith("_s"))
      .map(({ rawData }) => Buffer.from(rawData ?? []).toString("hex"));
  expect(await scales(again.output.path)).toEqual(await scales(tuned.qat.path));

  const other = await tune("other", "--qat", "--qat-ranges", "learned", "--qat-start", "0.5");
  expect(other.qat.sha256).not.toBe(tuned.qat.sha256);
  expect(await recordOf("other/onnx/model.onnx")).toMatchObject({ rangeMode: "learned" });
  const late = await tune("late", "--qat", "--qat-start", "0.9");
  expect(late.qat.sha256).not.toBe(tuned.qat.sha256);
  const dynamic = await tune("dynamic", "--qat", "--qat-activations", "dynamic");
  expect(dynamic.qat.activations).toBe("dynamic");
  expect(await recordOf("dynamic/onnx/model.onnx")).toMatchObject({ pairs: "safe" });
  await tune("wide", "--qat", "--qat-pairs", "full");
  expect(await recordOf("wide/onnx/model.onnx")).toMatchObject({ pairs: "full" });
  const small = await tune("small", "--qat", "--bits", "4", "--qat-block-size", "16");
  expect(small.qat).toMatchObject({ bits: 4, activations: "float" });
  expect(small.qat.path).toMatch(/model_q4\.onnx$/);
  expect(await recordOf("small/onnx/model.onnx")).toMatchObject({ bits: 4, blockSize: 16 });
}, 120_000);

test("a quantized file that labels otherwise than its training did is not kept, and that is the verdict", async () => {
  await shop.json([...base, "--output", "kept", "--qat"]);
  const { model, settings } = await findTagger(shop.path("kept/onnx/model.onnx"));
  const job = {
    model: model ?? (await readModelFile(shop.path("kept/onnx/model.onnx"))),
    settings,
    output: shop.path("refused.onnx"),
    validation: shop.path("test.conllu"),
    words: [],
    threads: 1,
    provenance: {},
  };
  const refused = await exportTrained({ ...job, required: 1.5 });
  expect(refused).toMatchObject({ path: null, bytes: null, passed: false, agreement: { required: 1.5 } });
  await expect(shop.bytes("refused.onnx")).rejects.toThrow("ENOENT");
  expect(exportText(refused as never)).toEqual([]);
  expect(() => checkAgreement("fine-tune", refused)).toThrow(
    /^fine-tune: quantized file: words labelled as by the trained graph: expected at least 150\.00%, got \d+\.\d\d% .* it was not kept/,
  );
  const kept = await exportTrained(job);
  expect(kept).toMatchObject({ path: job.output, passed: true, drift: { inputs: "made", minCosine: 0.9 } });
  expect(kept?.drift?.outputs).toMatchObject([{ name: "logits", finite: true }]);
  expect(() => checkAgreement("fine-tune", kept)).not.toThrow();

  // Without labels the outputs decide.
  const unlike = { ...job, validation: undefined, words: [["The", "cat"]], output: shop.path("unlike.onnx") };
  const drifted = await exportTrained({ ...unlike, minCosine: 1 });
  expect(drifted).toMatchObject({ path: null, passed: false, agreement: null, drift: null });
  await expect(shop.bytes("unlike.onnx")).rejects.toThrow("ENOENT");
  expect(() => checkAgreement("fine-tune", drifted)).toThrow(
    /^fine-tune: quantized file: \S*unlike\.onnx: output logits: cosine similarity to the trained graph: expected 1 or more, got [01]\.\d+; .* it was not kept, the float model is$/,
  );
  expect(await exportTrained(unlike)).toMatchObject({
    passed: true,
    drift: { inputs: "text" },
    refusal: null,
  });
});

test("train --qat writes NAME_qat.onnx", async () => {
  const trained = await shop.json([
    "train",
    ...files,
    "--architecture",
    "cnn",
    "--output",
    "tiny.onnx",
    "--epochs",
    "4",
    "--qat",
  ]);
  expect(trained.qat.path).toBe(shop.path("tiny_qat.onnx"));
  expect(trained.qat.bytes).toBeLessThan(0.5 * trained.output.bytes);
  expect(trained.qat.agreement.share).toBeGreaterThanOrEqual(0.999);
  const { history } = await shop.json(["inspect", "--model", "tiny_qat.onnx"]);
  expect(JSON.stringify(history)).toContain("quantizationAware");
}, 60_000);

test("options of --qat want it; static ranges must be there", async () => {
  const tune = ["fine-tune", "--model", "pos", ...files, "--output", "never"];
  const { code, stderr } = await shop.nasty([...tune, "--bits", "4"]);
  expect(code).toBe(2);
  expect(stderr).toContain("fine-tune: --bits: expected --qat with it, got none");
  expect((await shop.nasty([...tune, "--qat", "--bits", "6"])).code).toBe(2);
  const refused = await shop.nasty(["quantize", "--mode", "static", "--model", "pos"]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(
    "expected --calibration FILE (100 to 1000 typical sentences), got none, and pos was not trained",
  );
});
