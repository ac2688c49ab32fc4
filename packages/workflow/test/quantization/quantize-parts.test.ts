import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeGraph, makeModel, makeNode, makeValueInfo, serializeModel } from "@nasty/formats/onnx";
import { UsageError } from "../../src/errors.js";
import { inspect } from "../../src/inspection/inspect.js";
import { quantize, quantizeParts } from "../../src/quantization/quantize.js";
import { openTinyFolder, type TinyFolder } from "../tiny-folder.js";

let tiny: TinyFolder;
const names = ["decoder_model", "decoder_model_merged", "encoder_model"];
const parts = () => tiny.path("parts");

/** A graph without a weight. */
const weightless = () => {
  const value = (name: string) => makeValueInfo(name, "float32", ["n"]);
  const graph = makeGraph("g", {
    nodes: [makeNode("Relu", ["x"], ["y"])],
    inputs: [value("x")],
    outputs: [value("y")],
  });
  return serializeModel(makeModel(graph, { opsets: { "": 17 } }));
};

beforeAll(async () => {
  tiny = await openTinyFolder();
  await mkdir(tiny.path("parts", "onnx"), { recursive: true });
  await writeFile(tiny.path("parts", "config.json"), "{}");
  for (const name of names)
    await cp(tiny.path("pos", "onnx", "model.onnx"), tiny.path("parts", "onnx", `${name}.onnx`));
});
afterAll(() => tiny.remove());

test("each model of a folder is quantized in turn, other forms of one are left alone", async () => {
  for (const mode of ["dynamic", "int4"] as const) {
    const { models, unchanged } = await quantizeParts(parts(), { mode });
    expect(unchanged).toEqual([]);
    const suffix = mode === "int4" ? "int4" : "int8_dynamic";
    expect(models.map(({ path }) => path)).toEqual(
      names.map((name) => tiny.path("parts", "onnx", `${name}_${suffix}.onnx`)),
    );
    for (const { tensors, audit, drift } of models) {
      expect(tensors.length).toBeGreaterThan(0);
      expect(audit.quantizedKernels).toBeGreaterThan(0);
      expect(drift.outputs[0]?.cosine).toBeGreaterThan(0.8);
    }
  }
});

test("an output is a folder with the same names; what has no weights stays as it is, with the reason", async () => {
  await writeFile(tiny.path("parts", "onnx", "a_first.onnx"), weightless());
  const before = await readdir(tiny.path("parts", "onnx"));
  const { models, unchanged } = await quantizeParts(parts(), { output: tiny.path("made") });
  expect(models.map(({ path }) => path)).toEqual(
    names.map((name) => tiny.path("made", "onnx", `${name}.onnx`)),
  );
  expect(unchanged).toEqual([
    { path: tiny.path("parts", "onnx", "a_first.onnx"), reason: expect.stringContaining("got none") },
  ]);
  expect(await readdir(tiny.path("parts", "onnx"))).toEqual(before);
  expect((await inspect(models[0]?.path ?? "")).path).toBe(models[0]?.path);
});

test("what speaks of one model is refused, by naming the files; so is a folder of one model", async () => {
  await expect(quantizeParts(parts(), { calibration: tiny.path("test.conllu") })).rejects.toThrow(
    /^quantize: --calibration: expected one model, got .*parts with 4 \(a_first.onnx, decoder_model.onnx, /,
  );
  await expect(quantizeParts(parts(), { mode: "static" })).rejects.toThrow(
    /--mode static: expected one model/,
  );
  for (const path of [tiny.path("pos"), tiny.path("pos", "onnx", "model.onnx"), tiny.path("none")]) {
    await expect(quantizeParts(path)).rejects.toThrow(UsageError);
  }
  await expect(quantize(parts())).rejects.toThrow(
    /model file: expected onnx\/model.onnx or model.onnx, got onnx\/a_first.onnx, onnx\/decoder_model.onnx, .*of which to name one/,
  );
});
