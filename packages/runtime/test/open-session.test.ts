import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DType, type Tensor, type TensorData, tensor } from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSession, RuntimeError } from "../src/index.js";
import { bytesOf, float, identityModel, linearModel, modelOf } from "./tiny-models.js";

const x = float([1, 4], [1, 2, 3, 4]);
// Σ_i x_i (i − j) / 4 for j = 0, 1, 2.
const y = [5, 2.5, 0];

const values = (found: Tensor | undefined): number[] => [...((found?.data ?? []) as Float32Array)];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-runtime-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const failure = async (attempt: Promise<unknown>): Promise<RuntimeError> => {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RuntimeError);
  return error as RuntimeError;
};

describe("openSession", () => {
  it("opens bytes, a parsed model, a path, a compressed path and external data alike", async () => {
    const bytes = bytesOf(linearModel());
    const path = join(folder, "model.onnx");
    const packed = join(folder, "model.onnx.gz");
    const external = join(folder, "external.onnx");
    await writeFile(path, bytes);
    await writeFile(packed, gzipSync(bytes));
    await writeModelFile(external, linearModel(), {
      externalData: { thresholdBytes: 1, location: "external.bin" },
    });
    for (const source of [bytes, linearModel(), path, packed, external]) {
      const session = await openSession(source);
      const outputs = await session.run({ x });
      expect(values(outputs.y)).toEqual(y);
      expect(outputs.y?.shape).toEqual([1, 3]);
      await session.close();
    }
  });

  it("describes inputs and outputs with symbolic dimensions", async () => {
    const session = await openSession(linearModel());
    expect(session.inputs).toEqual([{ name: "x", dtype: "float32", shape: ["batch", 4] }]);
    expect(session.outputs).toEqual([{ name: "y", dtype: "float32", shape: ["batch", 3] }]);
    await session.close();
  });

  it.each<[DType, TensorData]>([
    ["float64", Float64Array.of(1.5, -2)],
    ["float32", Float32Array.of(1.5, -2)],
    ["float16", Uint16Array.of(0x3e00, 0xc000)],
    ["int8", Int8Array.of(-128, 127)],
    ["uint8", Uint8Array.of(0, 255)],
    ["int16", Int16Array.of(-5, 5)],
    ["uint16", Uint16Array.of(0, 65535)],
    ["int32", Int32Array.of(-5, 5)],
    ["uint32", Uint32Array.of(0, 4294967295)],
    ["int64", BigInt64Array.of(-5n, 5n)],
    ["uint64", BigUint64Array.of(0n, 5n)],
    ["bool", Uint8Array.of(1, 0)],
  ])("carries %s there and back", async (dtype, data) => {
    const session = await openSession(identityModel(dtype));
    const { y: back } = await session.run({ x: tensor(dtype, [2], data) });
    expect(back).toEqual({ dtype, shape: [2], data });
    await session.close();
  });

  it("returns only the outputs asked for", async () => {
    const model = makeModel(
      makeGraph("two", {
        nodes: [makeNode("Neg", ["x"], ["a"]), makeNode("Abs", ["x"], ["b"])],
        inputs: [makeValueInfo("x", "float32", ["n"])],
        outputs: [makeValueInfo("a", "float32", ["n"]), makeValueInfo("b", "float32", ["n"])],
      }),
      { opsets: { "": 13 }, irVersion: 8 },
    );
    const session = await openSession(model, {
      execution: "parallel",
      threads: 2,
      interOpThreads: 2,
      spinning: false,
    });
    expect(Object.keys(await session.run({ x: float([1], [-1]) }, ["b"]))).toEqual(["b"]);
    expect(await session.run({ x: float([1], [-1]) }, [])).toEqual({});
    const error = await failure(session.run({ x: float([1], [-1]) }, ["c"]));
    expect(error.code).toBe("unknown-output");
    expect(error.message).toBe("run: output c: no such output: expected some of a, b, got c");
    await session.close();
  });

  it("writes into the tensors that it is given", async () => {
    const session = await openSession(linearModel());
    const out = float([1, 3], [9, 9, 9]);
    const { y: written } = await session.run({ x }, ["y"], { out: { y: out } });
    expect(written).toBe(out);
    expect(values(out)).toEqual(y);
    // A view of a larger buffer, as a pool would hand out.
    const pool = new Float32Array(8).fill(7);
    await session.run({ x }, undefined, { out: { y: tensor("float32", [1, 3], pool.subarray(2, 5)) } });
    expect([...pool]).toEqual([7, 7, ...y, 7, 7, 7]);
    await session.close();
  });

  it("refuses tensors that results do not fit into", async () => {
    const session = await openSession(linearModel());
    const attempt = (out: Record<string, Tensor>): Promise<RuntimeError> =>
      failure(session.run({ x }, ["y"], { out }));
    expect(await attempt({ z: x })).toMatchObject({
      code: "unknown-output",
      message: "run: out z: not computed: expected some of y, got z",
    });
    expect(await attempt({ y: tensor("float64", [1, 3], new Float64Array(3)) })).toMatchObject({
      code: "wrong-dtype",
      message: "run: out y: element type: expected float32, got float64",
    });
    expect(await attempt({ y: { ...float([1, 3], [0, 0, 0]), shape: [2, 3] } })).toMatchObject({
      code: "wrong-shape",
      message: "run: out y: data length: expected 6 for shape [2, 3], got 3",
    });
    expect(await attempt({ y: float([3, 1], [0, 0, 0]) })).toMatchObject({ code: "run-failed" });
    await session.close();
  });

  it("closes once, waits for runs under way, and refuses to run afterwards", async () => {
    const session = await openSession(linearModel());
    const running = session.run({ x });
    await Promise.all([session.close(), session.close()]);
    expect(values((await running).y)).toEqual(y);
    const error = await failure(session.run({ x }));
    expect(error.code).toBe("closed");
    expect(error.message).toBe("run: session: state: expected an open session, got a closed one");
    await session.close();
  });

  it("passes configuration entries on to the runtime", async () => {
    const error = await failure(
      openSession(linearModel(), {
        threads: 2,
        config: { "session.intra_op_thread_affinities": "not numbers" },
      }),
    );
    expect(error.code).toBe("load-failed");
    expect(error.message).toContain("Processor id must consist of only digits");
  });
});

describe("feeds", () => {
  it.each([
    [{}, "missing-input", "run: input x: not fed: expected x, got none"],
    [{ x, mask: x }, "unknown-input", "run: input mask: no such input: expected x, got x, mask"],
    [
      { x: tensor("int64", [1, 4], new BigInt64Array(4)) },
      "wrong-dtype",
      "run: input x: element type: expected float32, got int64",
    ],
    [
      { x: float([1, 5], [1, 2, 3, 4, 5]) },
      "wrong-shape",
      "run: input x: shape: expected [batch, 4], got [1, 5]",
    ],
    [{ x: float([4], [1, 2, 3, 4]) }, "wrong-shape", "run: input x: shape: expected [batch, 4], got [4]"],
    [
      { x: { dtype: "float32" as const, shape: [2, 4], data: new Float32Array(4) } },
      "wrong-shape",
      "run: input x: data length: expected 8 for shape [2, 4], got 4",
    ],
  ])("are refused before the runtime sees them: %#", async (feeds, code, message) => {
    const session = await openSession(linearModel());
    const error = await failure(session.run(feeds));
    expect([error.code, error.message]).toEqual([code, message]);
    await session.close();
  });

  it("that the kernel cannot compute name node and operator", async () => {
    const model = makeModel(
      makeGraph("lookup", {
        nodes: [makeNode("Gather", ["table", "ids"], ["y"], { name: "embedding" })],
        inputs: [makeValueInfo("ids", "int64", ["n"])],
        outputs: [makeValueInfo("y", "float32", ["n"])],
        initializers: [makeTensor("table", "float32", { values: [1, 2, 3] })],
      }),
      { opsets: { "": 13 }, irVersion: 8 },
    );
    const session = await openSession(model);
    const error = await failure(session.run({ ids: tensor("int64", [1], BigInt64Array.of(7n)) }));
    expect([error.code, error.node, error.operator]).toEqual(["run-failed", "embedding", "Gather"]);
    expect(error.message).toBe(
      "run: node embedding: Gather: expected feeds that it can compute, got: indices element out of data bounds, idx=7 must be within the inclusive range [-3,2]",
    );
    await session.close();
  });
});

describe("models that cannot be opened", () => {
  it("missing files and folders", async () => {
    const missing = join(folder, "missing.onnx");
    const error = await failure(openSession(missing));
    expect([error.code, error.message]).toEqual([
      "not-found",
      `openSession: ${missing}: file: expected a readable file, got ENOENT`,
    ]);
    expect((await failure(openSession(folder))).message).toBe(
      `openSession: ${folder}: path: expected a file, got a directory`,
    );
  });

  it("text and nothing", async () => {
    for (const content of [new TextEncoder().encode("I am not a model."), new Uint8Array()]) {
      const error = await failure(openSession(content));
      expect([error.code, error.message]).toEqual([
        "not-a-model",
        "openSession: model bytes: content: expected an ONNX model, got bytes that do not parse as one",
      ]);
    }
  });

  it("an unknown operator is named", async () => {
    const model = modelOf([makeNode("Tagify", ["x"], ["y"], { name: "odd" })], []);
    const error = await failure(openSession(model));
    expect([error.code, error.operator]).toEqual(["unsupported-operator", "Tagify"]);
    expect(error.message).toMatch(/^openSession: model tiny: operator: expected one .* got Tagify/);
  });

  it("an operator of an unknown domain is named", async () => {
    const model = makeModel(
      makeGraph("foreign", {
        nodes: [makeNode("Tagify", ["x"], ["y"], { domain: "org.example" })],
        inputs: [makeValueInfo("x", "float32", ["n"])],
        outputs: [makeValueInfo("y", "float32", ["n"])],
      }),
      { opsets: { "": 17, "org.example": 1 }, irVersion: 8 },
    );
    const error = await failure(openSession(model));
    expect(error.code).toBe("unsupported-operator");
    expect(error.operator).toBe("org.example:Tagify");
  });

  it("a later opset and a later IR version say the limit", async () => {
    const graph = linearModel().graph;
    if (graph === undefined) throw new Error("no graph");
    const opset = await failure(openSession(makeModel(graph, { opsets: { "": 99 }, irVersion: 8 })));
    expect(opset.code).toBe("unsupported-model");
    expect(opset.message).toMatch(/opset of domain \S+: expected at most \d+, got 99/);
    const ir = await failure(openSession(makeModel(graph, { opsets: { "": 17 }, irVersion: 99 })));
    expect(ir.code).toBe("unsupported-model");
    expect(ir.message).toMatch(/IR version: expected at most \d+, got 99/);
  });

  it("a type without a JavaScript form is refused by name", async () => {
    const error = await failure(openSession(identityModel("bfloat16")));
    expect(error.kind).toBe("input");
    expect(error.code).toMatch(/unsupported-type|load-failed|unsupported-operator/);
  });

  it.each([
    [{ threads: -1 }, "openSession: threads: expected an integer in 0..1024, got -1"],
    [{ threads: 1.5 }, "openSession: threads: expected an integer in 0..1024, got 1.5"],
    [
      { optimization: "fast" as "all" },
      "openSession: optimization: expected one of all, layout, extended, basic, none, got fast",
    ],
    [
      { execution: "random" as "parallel" },
      "openSession: execution: expected one of sequential, parallel, got random",
    ],
    [{ config: { a: 1 as unknown as string } }, "openSession: config: a: expected a string, got number"],
  ])("for an option out of range: %#", async (options, message) => {
    const error = await failure(openSession(linearModel(), options));
    expect([error.code, error.message]).toEqual(["invalid-option", message]);
  });

  it("for a device that the runtime was not built for", async () => {
    const error = await failure(openSession(linearModel(), { device: "qnn" }));
    expect(error.code).toBe("device-unavailable");
    expect(error.message).toMatch(/^openSession: device: expected one of cpu.*, got qnn$/);
  });
});
