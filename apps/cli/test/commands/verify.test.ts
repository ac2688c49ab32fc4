import { tensor, type Tensor } from "@nasty/core";
import {
  copyMessage,
  type GraphProto,
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  tensorFromProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { readModelFile, writeModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await writeEncoder(shop.path("encoder.onnx"));
  await shop.json(["quantize", "--model", "encoder.onnx", "--output", "encoder_int8.onnx"]);
  await writeDoubled(shop.path("encoder_int8.onnx"), shop.path("broken.onnx"), "second.weight");
}, 120_000);
afterAll(() => shop.remove());

/** Two products on floats: no tagger, no text. */
async function writeEncoder(path: string): Promise<void> {
  const width = 32;
  const weight = (name: string, phase: number) =>
    makeTensor(name, "float32", {
      values: Float32Array.from({ length: width * width }, (_, i) => Math.sin(i * 12.9898 + phase) / 4),
      shape: [width, width],
    });
  const graph = makeGraph("encoder", {
    nodes: [
      makeNode("MatMul", ["x", "first.weight"], ["hidden"], { name: "/first/MatMul" }),
      makeNode("Tanh", ["hidden"], ["bounded"], { name: "/first/Tanh" }),
      makeNode("MatMul", ["bounded", "second.weight"], ["embedding"], { name: "/second/MatMul" }),
    ],
    inputs: [makeValueInfo("x", "float32", ["batch", width])],
    outputs: [makeValueInfo("embedding", "float32", ["batch", width])],
    initializers: [weight("first.weight", 1), weight("second.weight", 2)],
  });
  await writeModelFile(path, makeModel(graph, { opsets: { "": 17 }, irVersion: 8 }));
}

/** Writes a quantized file with the scales of one weight doubled. */
async function writeDoubled(path: string, output: string, weight: string): Promise<void> {
  const model = await readModelFile(path);
  const graph = model.graph as GraphProto;
  const isScale = (name: string): boolean => name === `${weight}_scale`;
  expect(graph.initializer.filter(({ name }) => isScale(name))).toHaveLength(1);
  const initializer = graph.initializer.map((proto) => {
    if (!isScale(proto.name)) return proto;
    const { shape, data } = tensorFromProto(proto) as Tensor<"float32">;
    return tensorToProto(
      tensor(
        "float32",
        shape,
        data.map((x) => 2 * x),
      ),
      proto.name,
    );
  });
  await writeModelFile(output, copyMessage(model, { graph: copyMessage(graph, { initializer }) }));
}

describe("nasty verify", () => {
  it("runs a tagger on every engine, with the keys that scripts rely on", async () => {
    await shop.json(["quantize", "--model", "pos", "--output", "pos_int8.onnx"]);
    const args = ["verify", "--model", "pos_int8.onnx", "--original", "pos", "--test", "test.conllu"];
    const result = await shop.json(args);
    expect(result).toMatchObject({ model: "pos_int8.onnx", original: "pos", ranOn: "text", passed: true });
    expect(
      result.engines.map(({ name, available }: { name: string; available: boolean }) => [name, available]),
    ).toEqual([
      ["native", true],
      ["wasm", true],
      ["portable", true],
    ]);
    const [native, , portable] = result.engines;
    expect(native).toMatchObject({ flips: 0, firstDifference: null });
    expect(native.maxError).toBeGreaterThan(0);
    expect(native.cosine).toBeGreaterThan(0.99);
    expect(portable).toMatchObject({ status: "agrees", flips: 0 });
    const { code, stdout } = await shop.nasty([...args, "--engine", "native", "--quiet"]);
    expect(code).toBe(0);
    expect(stdout).toContain("native  1.");
    expect(stdout).not.toContain("wasm");
    expect(stdout.trimEnd().endsWith("Passed.")).toBe(true);
  });

  it("refuses a broken file without labels or text, and names the layer", async () => {
    const sound = await shop.json(["verify", "--model", "encoder_int8.onnx", "--original", "encoder.onnx"]);
    expect(sound).toMatchObject({ ranOn: "made", passed: true, brokenLayer: null, words: null });
    const args = ["verify", "--model", "broken.onnx", "--original", "encoder.onnx"];
    const { code, stdout, stderr } = await shop.nasty(args);
    expect(code).toBe(4);
    expect(stdout).toContain("Broken layer: /second/MatMul (MatMul)");
    expect(stderr).toMatch(
      /nasty: verify: broken\.onnx: layer \/second\/MatMul \(MatMul\): signal-to-noise ratio to the original: expected 13 dB or more, got -?0\.\d dB \(its inputs: \d\d\.\d dB\); quantize the original again/,
    );
    const json = await shop.nasty([...args, "--json"]);
    expect(json.code).toBe(4);
    expect(JSON.parse(json.stdout)).toMatchObject({
      passed: false,
      brokenLayer: { node: "/second/MatMul", weights: ["second.weight"] },
      engines: [{ status: "departs", firstDifference: { node: "/second/MatMul", from: "original" } }, {}, {}],
    });
  });

  it("refuses a file that an engine that was asked for cannot run", async () => {
    const value = (name: string) => makeValueInfo(name, "float32", ["batch", 4]);
    const nodes = [makeNode("Acosh", ["x"], ["y"], { name: "/unusual" })];
    const graph = makeGraph("unusual", { nodes, inputs: [value("x")], outputs: [value("y")] });
    await writeModelFile(shop.path("unusual.onnx"), makeModel(graph, { opsets: { "": 17 }, irVersion: 8 }));
    const ended = await shop.nasty(["verify", "--model", "unusual.onnx", "--engine", "portable"]);
    expect(ended.code).toBe(4);
    expect(ended.stderr).toMatch(
      /verify: unusual\.onnx: engine portable: expected one that runs the file, got: .*Acosh/,
    );
  });

  it("refuses wrong usage and unusable input", async () => {
    expect(await shop.refused(2, ["verify"])).toContain("--model");
    expect(await shop.refused(2, ["verify", "--model", "pos", "--engine", "cuda"])).toContain(
      "verify: --engine: expected one of native, wasm, portable, got cuda",
    );
    expect(await shop.refused(3, ["verify", "--model", "encoder.onnx", "--test", "test.conllu"])).toContain(
      "expected labels and a tokenizer in the file or beside it to encode test.conllu, got none",
    );
    expect(await shop.refused(3, ["verify", "--model", "encoder.onnx", "--original", "pos"])).toContain(
      "verify: pos: expected an original that runs on the same inputs",
    );
  });
});
