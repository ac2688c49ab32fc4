import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWorkshop, type Workshop } from "../workshop.js";

const hook = new URL("../../../../packages/runtime/test/fixtures/without-native.mjs", import.meta.url);
const env = { NODE_OPTIONS: `--import ${hook.href}` };
const note = /^Note: onnxruntime-node is not installed, .*npm install onnxruntime-node$/gm;

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

describe("the command where onnxruntime-node is not installed", () => {
  it("tags and measures on WebAssembly, and says once what to install", async () => {
    const tag = ["tag", "--model", "pos"];
    const [native, fallback] = await Promise.all([
      shop.nasty(tag, { input: "the dog runs ." }),
      shop.nasty(tag, { input: "the dog runs .", env }),
    ]);
    expect(fallback.code, fallback.stderr).toBe(0);
    expect(fallback.stdout).toBe(native.stdout);
    expect(fallback.stderr.match(note)).toHaveLength(1);
    expect(native.stderr).not.toMatch(note);
    const evaluated = ["eval", "--model", "pos", "--test", "test.conllu"];
    const { value } = await shop.json(evaluated, { env });
    expect(value).toBe((await shop.json(evaluated)).value);
    expect((await shop.nasty([...evaluated, "--quiet"], { env })).stderr).toBe("");
  });

  it.each([
    ["dynamic", ["--mode", "dynamic"]],
    ["static", ["--calibration", "test.conllu"]],
    ["int4", ["--mode", "int4"]],
    ["weight-only", ["--mode", "weight-only"]],
    ["gated", ["--target-accuracy-loss", "1", "--validation", "test.conllu", "--min-cosine", "-1"]],
  ])("quantizes to the same bytes: %s", async (name, options) => {
    const command = (output: string) => ["quantize", "--model", "pos", ...options, "--output", output];
    const native = await shop.json(command(`native-${name}.onnx`));
    const fallback = await shop.json(command(`wasm-${name}.onnx`), { env });
    expect(fallback.output.sha256).toBe(native.output.sha256);
    expect(native.audit.quantizedKernels).toBeGreaterThanOrEqual(0);
    expect(fallback.audit).toBeNull();
  });

  it("shows what cannot be told without it", async () => {
    const { code, stdout, stderr } = await shop.nasty(["demo", "pos", "--test", "test.conllu"], { env });
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(
      "not audited: only the native library of onnxruntime-node tells what it executes",
    );
    const devices = await shop.json(["inspect", "--model", "pos", "--devices"], { env });
    expect(JSON.stringify(devices)).toContain('"wasm"');
  });
});
