import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FormatError } from "../../src/onnx/index.js";
import { readModelFile } from "../../src/onnx/node.js";
import { block, join as joined, modelOf, modelOfTensor, number, varint } from "./wire.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "packed-"));
});
afterEach(async () => {
  delete process.env["NASTY_MEMORY_LIMIT"];
  await rm(folder, { recursive: true, force: true });
});

const fast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

async function read(name: string, bytes: Uint8Array) {
  await writeFile(join(folder, name), bytes);
  return readModelFile(join(folder, name));
}

async function refusal(name: string, bytes: Uint8Array): Promise<FormatError> {
  const error = await read(name, bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FormatError);
  return error as FormatError;
}

describe("a packed model file", () => {
  it("that is something else is known by its first bytes, not by its last", async () => {
    // Cut in the middle: whoever unpacks it all meets that first.
    const zeros = brotliCompressSync(new Uint8Array(40_000_000), fast);
    const error = await refusal("zeros.onnx.br", zeros.subarray(0, zeros.length - 8));
    expect(error).toMatchObject({ code: "protobuf", fields: { offset: 0 } });
    expect(error.message).toMatch(/zeros\.onnx\.br: byte 0 \(ModelProto\): field number/);
    const text = brotliCompressSync(Buffer.alloc(1_000_000, "word "), fast);
    expect((await refusal("text.onnx.br", text)).message).toMatch(/text that begins "word word/);
  });

  it("that declares more than a file of its size may unpack to is refused before it is unpacked", async () => {
    const declared = joined(number(1, 8), varint(7 * 8 + 2), varint(2_100_000_000), new Uint8Array(200_000));
    for (const [name, bytes] of [
      ["m.onnx.gz", gzipSync(declared)],
      ["m.onnx.br", brotliCompressSync(declared, fast)],
    ] as const) {
      const error = await refusal(name, bytes);
      expect(error.code).toBe("limit");
      expect(error.message).toMatch(
        /unpacked size: expected at most 512000000 bytes, got a length of 2100000000; unpack the file first, or .*NASTY_MEMORY_LIMIT/,
      );
    }
  });

  it("of structures alone is refused while it is unpacked, by what it was packed to", async () => {
    const nodes = Buffer.alloc(2_000_000, Uint8Array.of(0x0a, 0));
    const whole = Buffer.concat([joined(number(1, 8), varint(7 * 8 + 2), varint(nodes.length)), nodes]);
    const packed = gzipSync(whole);
    const error = await refusal("nodes.onnx.gz", packed.subarray(0, packed.length - 8));
    expect(error.code).toBe("limit");
    expect(error.message).toMatch(
      /\(ModelProto\.graph\.node\): decoded size: expected structures of at most 128 MB/,
    );
    process.env["NASTY_MEMORY_LIMIT"] = "2000";
    expect((await read("nodes.onnx.gz", packed)).graph?.node).toHaveLength(1_000_000);
  });

  it("of weights that are zero is read, a thousand times larger than its file", async () => {
    const weights = new Uint8Array(70_000_000);
    const head = joined(number(1, weights.length), number(2, 2), varint(9 * 8 + 2), varint(weights.length));
    const tensor = joined(varint(5 * 8 + 2), varint(head.length + weights.length), head);
    const graph = joined(number(1, 8), varint(7 * 8 + 2), varint(tensor.length + weights.length), tensor);
    const packed = gzipSync(Buffer.concat([graph, weights]));
    const model = await read("zero.onnx.gz", packed);
    expect(model.graph?.initializer[0]?.rawData).toHaveLength(weights.length);
    expect(weights.length / packed.length).toBeGreaterThan(900);
  });

  it("with lengths that its fields do not leave room for is damaged, as in one that is not packed", async () => {
    const bytes = Buffer.concat([modelOf(block(5, new Uint8Array(0), 50)), new Uint8Array(200_000)]);
    for (const name of ["m.onnx", "m.onnx.gz"]) {
      const error = await refusal(name, name === "m.onnx" ? bytes : gzipSync(bytes));
      expect(error.code).toBe("truncated");
      expect(error.message).toMatch(/expected at most 0 bytes, got 50/);
    }
    expect(
      (await read("w.onnx", modelOfTensor(number(1, 1), number(2, 2), block(9, [1])))).graph,
    ).toBeDefined();
  });
});
