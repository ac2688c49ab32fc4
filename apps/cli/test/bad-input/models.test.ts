import { mkdir, symlink } from "node:fs/promises";
import { makeGraph, makeModel, makeNode, makeValueInfo, serializeModel } from "@nasty/formats/onnx";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tinyModel, tinyTokenizer, writeTinyDirectory } from "../tiny-tagger.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  // Stands at the output of every run below, and must be untouched after each.
  await shop.write("out.onnx", "an older file");
});
afterAll(() => shop.remove());

const quantize = (model: string, ...args: string[]) =>
  shop.refused(3, ["quantize", "--model", model, "--output", "out.onnx", ...args]);

/** A model of nodes given as [operator, inputs, outputs], from x to y. */
function graphOf(...nodes: readonly [string, string[], string[]][]): Uint8Array {
  return serializeModel(
    makeModel(
      makeGraph("hostile", {
        nodes: nodes.map(([op, inputs, outputs]) =>
          makeNode(op, inputs, outputs, { name: `node_${outputs}` }),
        ),
        inputs: [makeValueInfo("x", "float32", [2])],
        outputs: [makeValueInfo("y", "float32", [2])],
      }),
    ),
  );
}

describe("model files that are none", () => {
  test("a truncated file: at which byte", async () => {
    const whole = await shop.bytes("pos/onnx/model.onnx");
    await shop.write("cut.onnx", whole.subarray(0, whole.length - 1000));
    expect(await quantize("cut.onnx")).toMatch(/cut\.onnx: .*(?:byte|offset).*; /);
  });

  test("a declared size beyond the file", async () => {
    // Field 7 (graph), length-delimited, of 2^31 - 1 bytes.
    await shop.write("hostile.onnx", Uint8Array.of(0x08, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x07));
    expect(await quantize("hostile.onnx")).toMatch(/hostile\.onnx: .*2147483647/);
  });

  test.each([
    ["a text", "This is not a model.\n"],
    ["CoNLL-U", "1\tThe\t_\tDET\t_\t_\t_\t_\t_\t_\n\n"],
    ["nothing", ""],
    ["random bytes", Uint8Array.from({ length: 500 }, (_, i) => (i * 197 + 31) % 256)],
  ])("%s as a model", async (_, content) => {
    await shop.write("text.onnx", content);
    expect(await quantize("text.onnx")).toMatch(/text\.onnx: .*expected .*, got .*; /);
  });

  test("a path with nothing there, and a folder without config.json", async () => {
    expect(await quantize("none.onnx")).toMatch(/none\.onnx: .*; check the path/);
    await mkdir(shop.path("folder"));
    expect(await quantize("folder")).toMatch(/folder: expected a file, got a folder/);
    for (const command of [
      ["eval", "--test", "test.conllu"],
      ["tag"],
      ["inspect"],
      ["quantize", "estimate"],
    ]) {
      expect(await shop.refused(3, [...command, "--model", "none.onnx"])).toContain("none.onnx");
    }
  });

  test("damaged gzip", async () => {
    await shop.write("bad.onnx.gz", Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8));
    expect(await quantize("bad.onnx.gz")).toMatch(/bad\.onnx\.gz: .*; /);
  });
});

describe("graphs that are none", () => {
  test.each([
    [
      "a cycle",
      graphOf(["Add", ["x", "b"], ["a"]], ["Relu", ["a"], ["b"]], ["Relu", ["a"], ["y"]]),
      /cycle|node_/,
    ],
    ["a missing input", graphOf(["Add", ["x", "nowhere"], ["y"]]), /nowhere/],
    ["two values of one name", graphOf(["Relu", ["x"], ["y"]], ["Neg", ["x"], ["y"]]), /"?y"?.*/],
    ["an output nobody makes", graphOf(["Relu", ["x"], ["z"]]), /"y"/],
  ])("%s", async (_, bytes, named) => {
    await shop.write("graph.onnx", bytes);
    expect(await quantize("graph.onnx")).toMatch(named);
  });

  test("nothing to quantize, and a model that is quantized already", async () => {
    await shop.write("relu.onnx", graphOf(["Relu", ["x"], ["y"]]));
    expect(await quantize("relu.onnx")).toMatch(/at least one that can be quantized, got none/);
    await shop.json(["quantize", "--model", "pos", "--output", "int8.onnx"]);
    expect(await quantize("int8.onnx")).toMatch(/quantized already .*; give the float32 model/);
  });

  test("NaN among the weights: which", async () => {
    await writeTinyDirectory(shop.path("nan"), { nan: true });
    expect(await quantize("nan")).toMatch(/classifier\.weight.*NaN/);
    expect(await quantize("nan", "--calibration", "test.conllu")).toMatch(/NaN/);
    const named = /nan.*tensor ".*classifier\.weight.*": element \d+: expected a finite number, got NaN/;
    const training = ["--train", "test.conllu", "--validation", "test.conllu", "--output", "out"];
    for (const args of [
      ["tag", "--model", "nan"],
      ["eval", "--model", "nan", "--test", "test.conllu"],
      ["benchmark", "--model", "nan", "--data", "test.conllu"],
      ["prune", "--model", "nan", "--sparsity", "0.3", "--output", "out.onnx"],
      ["export", "--model", "nan", "--output", "out"],
      ["fine-tune", "--model", "nan", "--task", "pos", ...training],
      ["distill", "--teacher", "nan", "--student-size", "0.5", ...training],
    ]) {
      expect(await shop.refused(3, args, { input: "The cat." }), args[0]).toMatch(named);
    }
  });

  test("a pattern that matches no layer: the nearest names", async () => {
    const message = await quantize("pos", "--skip-layers", "/clasifier/MatMul");
    expect(message).toMatch(/\/clasifier\/MatMul: expected at least one .*nearest: \/classifier\/MatMul/);
    expect(await quantize("pos", "--skip-layers", "/(/")).toContain("regular expression");
  });

  test("an operator that cannot be quantized", async () => {
    expect(await quantize("pos", "--op-types", "Softmax")).toContain("expected one of MatMul, Gemm");
  });
});

describe("taggers that do not fit", () => {
  test("no tagger: nothing can be calibrated, gated, evaluated or tagged", async () => {
    await mkdir(shop.path("alone/deep"), { recursive: true });
    await shop.write("alone/deep/bare.onnx", serializeModel(tinyModel()));
    const bare = "alone/deep/bare.onnx";
    expect(await quantize(bare, "--calibration", "test.conllu")).toMatch(
      /tagger: expected labels and a tokenizer/,
    );
    expect(await quantize(bare, "--target-accuracy-loss", "0.1", "--validation", "test.conllu")).toMatch(
      /the gate must tag/,
    );
    expect(await shop.refused(3, ["eval", "--model", bare, "--test", "test.conllu"])).toMatch(
      /tokenizer\.json/,
    );
  });

  test("a tokenizer of another model, and one that is broken JSON", async () => {
    await writeTinyDirectory(shop.path("other"));
    await shop.write("other/tokenizer.json", JSON.stringify(tinyTokenizer(["more", "words"])));
    expect(await quantize("other")).toMatch(/tokenizer\.json: .*expected ids below 35.*got 36/);
    await shop.write("other/tokenizer.json", '{"model": ');
    expect(await quantize("other")).toMatch(/tokenizer\.json: .*JSON/);
    await shop.write(
      "other/config.json",
      JSON.stringify({ model_type: "bert", id2label: { 0: "A", 1: "B" } }),
    );
    await shop.write("other/tokenizer.json", JSON.stringify(tinyTokenizer()));
    expect(await shop.refused(3, ["tag", "--model", "other"], { input: "The cat." })).toMatch(/label/);
  });
});

describe("outputs that cannot be written", () => {
  test("a folder in its place, no folder around it, the model itself, also by a link", async () => {
    const to = (code: number, output: string, model = "pos") =>
      shop.refused(code, ["quantize", "--model", model, "--output", output]);
    expect(await to(3, "pos")).toContain("expected a file, got a folder");
    expect(await to(3, "nowhere/out.onnx")).toMatch(/nowhere, got nothing there; make the folder/);
    expect(await to(2, "pos/onnx/model.onnx", "pos/onnx/model.onnx")).toContain("another file than an input");
    await symlink(shop.path("pos/onnx/model.onnx"), shop.path("link.onnx"));
    expect(await to(2, "link.onnx", "pos/onnx/model.onnx")).toContain("another file than an input");
  });

  test("a report or a table into a missing folder: before the work", async () => {
    expect(await quantize("pos", "--report", "none/report.html")).toContain("--report none/report.html");
    const table = ["--calibration", "test.conllu", "--save-calibration-table", "none/table.json"];
    expect(await quantize("pos", ...table)).toContain("--save-calibration-table none/table.json");
  });
});
