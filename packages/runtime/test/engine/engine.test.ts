import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeNode } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { auditModel, availableDevices, environment, openSession } from "../../src/index.js";
import { bytesOf, float, linearModel, modelOf } from "../tiny-models.js";

const withoutNative = fileURLToPath(new URL("../fixtures/without-native.mjs", import.meta.url));
const x = { x: float([1, 4], [1, 2, 3, 4]) };
const y = float([1, 3], [5, 2.5, 0]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-engine-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a program that prints one JSON document, in a process of its own. */
const printed = async (
  code: string,
  { hide = false, engine }: { readonly hide?: boolean; readonly engine?: string } = {},
): Promise<unknown> => {
  const { NASTY_ENGINE: _, ...env } = process.env;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [...(hide ? ["--import", withoutNative] : []), "--input-type=module", "-e", code],
    {
      cwd: new URL("../..", import.meta.url),
      env: engine === undefined ? env : { ...env, NASTY_ENGINE: engine },
    },
  );
  expect(stderr).toBe("");
  return JSON.parse(stdout) as unknown;
};

/** Opens two sessions and says what was noticed, what the first computes, and which devices there are. */
const program = `
import { subscribe } from "node:diagnostics_channel";
import { availableDevices, openSession } from "@nasty/runtime";
import { noticeChannel } from "@nasty/runtime/notice";
const notices = [];
subscribe(noticeChannel, (notice) => notices.push(notice));
const bytes = new Uint8Array(Buffer.from("${Buffer.from(bytesOf(linearModel())).toString("base64")}", "base64"));
try {
  const session = await openSession(bytes);
  await (await openSession(bytes)).close();
  const { y } = await session.run({ x: { dtype: "float32", shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) } });
  console.log(JSON.stringify({ notices, y: [...y.data], devices: await availableDevices() }));
} catch ({ code, message }) {
  console.log(JSON.stringify({ code, message }));
}`;

/** An operator that the portable engine lacks. */
const celuModel = () => modelOf([makeNode("Celu", ["x"], ["y"], { name: "unary" })], [], { outputs: 4 });

describe("the engine of a session", () => {
  it("computes the same on every engine, from a path, from bytes and from a model", async () => {
    const path = join(folder, "linear.onnx");
    await writeModelFile(path, linearModel());
    const large = join(folder, "external.onnx");
    await writeModelFile(large, linearModel(), { externalData: { thresholdBytes: 0 } });
    const compressed = join(folder, "linear.onnx.gz");
    await writeModelFile(compressed, linearModel());
    for (const model of [path, large, compressed, bytesOf(linearModel()), linearModel()]) {
      for (const engine of ["wasm", "native", "portable"] as const) {
        const session = await openSession(model, { engine });
        expect([session.engine, environment().engine]).toEqual([engine, engine]);
        expect(await session.run(x)).toEqual({ y });
        const out = float([1, 3], [9, 9, 9]);
        expect((await session.run(x, ["y"], { out: { y: out } })).y).toBe(out);
        expect(out).toEqual(y);
        await session.close();
      }
    }
  });

  it("is the portable one where the native library is missing, and says so once", async () => {
    const found = await printed(program, { hide: true });
    expect(found).toEqual({
      notices: [
        {
          engine: "portable",
          reason: "onnxruntime-node is not installed",
          message: expect.stringMatching(
            /^onnxruntime-node is not installed, .*ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node$/,
          ),
        },
      ],
      y: [5, 2.5, 0],
      devices: ["wasm"],
    });
  });

  it("is the native library where it is there, without a word", async () => {
    expect(await printed(program)).toMatchObject({
      notices: [],
      y: [5, 2.5, 0],
      devices: expect.arrayContaining(["cpu"]),
    });
  });

  it("is the one that NASTY_ENGINE names, or none", async () => {
    expect(await printed(program, { engine: "wasm" })).toMatchObject({ notices: [], devices: ["wasm"] });
    expect(await printed(program, { engine: "native", hide: true })).toMatchObject({
      code: "no-runtime",
      message: expect.stringContaining("ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node"),
    });
    expect(await printed(program, { engine: "gpu" })).toEqual({
      code: "invalid-option",
      message: "openSession: NASTY_ENGINE: expected one of native, wasm, portable, got gpu",
    });
  });

  it("is ONNX Runtime's WebAssembly build for a model with operators that the portable one lacks", async () => {
    const bytes = Buffer.from(bytesOf(celuModel())).toString("base64");
    const code = `
import { environment, openSession } from "@nasty/runtime";
const bytes = new Uint8Array(Buffer.from("${bytes}", "base64"));
const { engine } = await openSession(bytes);
console.log(JSON.stringify([engine, environment().engine]));`;
    expect(await printed(code, { hide: true })).toEqual(["wasm", "wasm"]);
    await expect(openSession(celuModel(), { engine: "portable" })).rejects.toMatchObject({
      name: "RuntimeError",
      code: "unsupported-operator",
      operator: "Celu",
      message: expect.stringMatching(
        /^openSession: engine portable: model tiny: node: .*Celu "unary": no such operator$/,
      ),
    });
  });

  it.each(["wasm", "portable"] as const)("says what %s cannot do", async (engine) => {
    const optimizedModelPath = join(folder, "optimized.onnx");
    await expect(openSession(linearModel(), { engine, optimizedModelPath })).rejects.toMatchObject({
      code: "needs-native",
    });
    await expect(auditModel(linearModel(), { engine })).rejects.toMatchObject({
      code: "needs-native",
    });
    await expect(openSession(linearModel(), { engine, device: "cuda" })).rejects.toMatchObject({
      code: "device-unavailable",
    });
    await expect(openSession(join(folder, "none.onnx"), { engine })).rejects.toMatchObject({
      code: "not-found",
    });
    await expect(openSession(new Uint8Array(3), { engine })).rejects.toMatchObject({
      code: "not-a-model",
    });
    expect(await availableDevices()).toContain("cpu");
  });
});
