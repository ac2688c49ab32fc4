import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, equals } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  FormatError,
  makeGraph,
  makeModel,
  type ModelProto,
  ModelProtoSchema,
  parseModel,
  serializeModel,
  type TensorProto,
} from "../../src/onnx/index.js";
import { TensorProtoSchema } from "../../src/onnx/gen/onnx_pb.js";
import { readModelFile, writeModelFile } from "../../src/onnx/node.js";
import { sampleModel } from "./sample-model.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "onnx-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function errorOf(run: Promise<unknown>): Promise<FormatError> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(FormatError);
  return error as FormatError;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A model with one tensor of four uint8 that is elsewhere. */
function external(entries: Record<string, string>, fields: object = {}): ModelProto {
  const tensor: TensorProto = create(TensorProtoSchema, {
    name: "W",
    dims: [4n],
    dataType: 2,
    dataLocation: 1,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
    ...fields,
  });
  return makeModel(makeGraph("g", { nodes: [], outputs: [], initializers: [tensor] }));
}

async function readExternal(model: ModelProto): Promise<ModelProto> {
  const path = join(folder, "m.onnx");
  await writeFile(path, serializeModel(model));
  return readModelFile(path);
}

describe("writeModelFile and readModelFile", () => {
  it.each(["m.onnx", "m.onnx.gz", "m.onnx.br"])("bring %s back, twice the same bytes", async (name) => {
    const model = sampleModel();
    const path = join(folder, name);
    const written = await writeModelFile(path, model);
    const bytes = await readFile(path);
    expect(written).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
    expect(equals(ModelProtoSchema, await readModelFile(path), model)).toBe(true);
    expect(await writeModelFile(path, model)).toEqual(written);
    expect(await readdir(folder)).toEqual([name]);
  });

  it("reads into one buffer that the weights are views of", async () => {
    const path = join(folder, "m.onnx");
    await writeModelFile(path, sampleModel());
    const model = await readModelFile(path);
    const [W, b] = model.graph!.initializer;
    expect(W!.rawData.buffer).toBe(b!.rawData.buffer);
    expect(W!.rawData.buffer.byteLength).toBe((await readFile(path)).length);
  });

  it("names the file and the place in it", async () => {
    const path = join(folder, "m.onnx");
    await writeFile(path, serializeModel(sampleModel()).subarray(0, 300));
    const cut = await errorOf(readModelFile(path));
    expect(cut.message).toMatch(
      /m\.onnx: byte \d+ \(ModelProto\.graph\): length: expected at most \d+ bytes, got \d+$/,
    );
    expect(cut.message).toMatch(/^readModelFile: /);
    expect(cut.fields.path).toBe(path);
    expect(cut.code).toBe("truncated");
    await writeFile(path, "");
    expect((await errorOf(readModelFile(path))).code).toBe("not-a-model");
    expect((await errorOf(readModelFile(join(folder, "absent.onnx")))).code).toBe("not-found");
    expect((await errorOf(readModelFile(folder))).code).toBe("unreadable");
  });

  it("leaves the old file alone when the new one cannot be made", async () => {
    const path = join(folder, "m.onnx");
    await writeModelFile(path, sampleModel(4));
    const before = await readFile(path);
    const gigabyte = new Uint8Array(2 ** 30);
    const big = [1, 2].map(() =>
      create(TensorProtoSchema, { dims: [2n ** 30n], dataType: 2, rawData: gigabyte }),
    );
    const model = makeModel(makeGraph("g", { nodes: [], outputs: [], initializers: big }));
    expect((await errorOf(writeModelFile(path, model))).code).toBe("limit");
    expect(await readFile(path)).toEqual(before);
    expect(await readdir(folder)).toEqual(["m.onnx"]);
  });
});

describe("external data", () => {
  it("goes out to aligned places of one file and comes back", async () => {
    const model = sampleModel();
    const path = join(folder, "m.onnx");
    const written = await writeModelFile(path, model, { externalData: { thresholdBytes: 200 } });
    const data = await readFile(join(folder, "m.onnx.data"));
    expect(written.externalData).toEqual({
      path: join(folder, "m.onnx.data"),
      bytes: data.length,
      sha256: sha256(data),
    });
    const referring = parseModel(await readFile(path)).graph!.initializer;
    const entries = referring.map(({ externalData }) =>
      externalData.map(({ key, value }) => `${key}=${value}`),
    );
    expect(entries).toEqual([
      ["location=m.onnx.data", "offset=0", "length=16384"],
      ["location=m.onnx.data", "offset=16384", "length=256"],
      [],
    ]);
    expect(referring.map(({ rawData }) => rawData.length)).toEqual([0, 0, 8]);
    const read = await readModelFile(path);
    expect(read.graph!.initializer[0]!.rawData).toEqual(model.graph!.initializer[0]!.rawData);
    // Reading sets the location to its default, which says the same as leaving it out.
    expect(serializeModel(read).length - serializeModel(model).length).toBeLessThan(10);
    expect(model.graph!.initializer[0]!.rawData.length).toBe(16_384);
  });

  it("leaves a gap up to the next multiple of 4096", async () => {
    const weights = ["a", "b"].map((name) =>
      create(TensorProtoSchema, { name, dims: [5000n], dataType: 2, rawData: new Uint8Array(5000).fill(9) }),
    );
    const model = makeModel(makeGraph("g", { nodes: [], outputs: [], initializers: weights }));
    await writeModelFile(join(folder, "m.onnx"), model, { externalData: { location: "weights.bin" } });
    const data = await readFile(join(folder, "weights.bin"));
    expect(data.length).toBe(8192 + 5000);
    expect([data[4999], data[5000], data[8191], data[8192]]).toEqual([9, 0, 0, 9]);
  });

  it("writes no data file where nothing reaches the threshold", async () => {
    const written = await writeModelFile(join(folder, "m.onnx"), sampleModel(4), {
      externalData: { thresholdBytes: 1e6 },
    });
    expect(written.externalData).toBeUndefined();
    expect(await readdir(folder)).toEqual(["m.onnx"]);
  });

  it("shares a range that two tensors name, and takes offset 0 and the whole length where they are left out", async () => {
    await writeFile(join(folder, "w.bin"), Uint8Array.of(1, 2, 3, 4, 5));
    const model = external({ location: "w.bin" });
    model.graph!.initializer.push(
      ...external({ location: "w.bin", offset: "0", length: "4" }).graph!.initializer,
    );
    const [first, second] = (await readExternal(model)).graph!.initializer;
    expect(first!.rawData).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(second!.rawData).toBe(first!.rawData);
  });

  it("reads from a folder below the model", async () => {
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "data", "w.bin"), Uint8Array.of(1, 2, 3, 4));
    const read = await readExternal(external({ location: "data/w.bin" }));
    expect(read.graph!.initializer[0]!.rawData).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it.each<[string, Record<string, string>, object, string]>([
    ["no location", {}, {}, "location: expected a file name, got none"],
    [
      "an absolute path",
      { location: "/etc/hostname" },
      {},
      'location: expected a file in the folder of the model, got the absolute path "/etc/hostname"',
    ],
    ["a drive", { location: "C:\\w.bin" }, {}, 'got the absolute path "C:\\\\w.bin"'],
    ["a way up", { location: "../w.bin" }, {}, 'got the outside path "../w.bin"'],
    ["a way up inside", { location: "a/..\\../w.bin" }, {}, "got the outside path"],
    [
      "an absent file",
      { location: "absent.bin" },
      {},
      'location: expected the file "absent.bin" beside the model, got ENOENT',
    ],
    [
      "a folder",
      { location: "sub" },
      {},
      'location: expected "sub" to be a regular file, got a folder or a device',
    ],
    [
      "an offset beyond the file",
      { location: "w.bin", offset: "6" },
      {},
      'bytes 6 to 10: expected at most 8 in "w.bin"',
    ],
    [
      "a huge offset",
      { location: "w.bin", offset: "9007199254740993" },
      {},
      'offset: expected a number of bytes, got "9007199254740993"',
    ],
    [
      "a negative offset",
      { location: "w.bin", offset: "-4" },
      {},
      'offset: expected a number of bytes, got "-4"',
    ],
    [
      "a length that the shape denies",
      { location: "w.bin", length: "8" },
      {},
      "length: expected 4 bytes for UINT8 [4], got 8",
    ],
    [
      "a shape beyond the file",
      { location: "w.bin" },
      { dims: [1n << 40n] },
      "bytes 0 to 1099511627776: expected at most 8",
    ],
    [
      "strings",
      { location: "w.bin" },
      { dataType: 8 },
      "data type: expected one with a raw form, got STRING [4]",
    ],
  ])("refuses %s, with the tensor", async (_, entries, fields, what) => {
    await writeFile(join(folder, "w.bin"), new Uint8Array(8));
    await mkdir(join(folder, "sub"));
    const error = await errorOf(readExternal(external(entries, fields)));
    expect(error.code).toBe("external-data");
    expect(error.fields.name).toBe("W");
    expect(error.message).toContain(`m.onnx: tensor "W": `);
    expect(error.message).toContain(what);
  });

  it("refuses ranges that overlap", async () => {
    await writeFile(join(folder, "w.bin"), new Uint8Array(8));
    const model = external({ location: "w.bin" });
    model.graph!.initializer.push(
      ...external({ location: "w.bin", offset: "2" }, { name: "V" }).graph!.initializer,
    );
    expect((await errorOf(readExternal(model))).message).toMatch(
      /tensor "V": offset: expected 4 or more, after tensor "W", got 2$/,
    );
  });

  it("refuses a symbolic link out of the folder, and follows one inside", async () => {
    const outside = await mkdtemp(join(tmpdir(), "onnx-outside-"));
    try {
      await writeFile(join(outside, "secret"), "1234");
      await symlink(join(outside, "secret"), join(folder, "w.bin"));
      const error = await errorOf(readExternal(external({ location: "w.bin" })));
      expect(error.message).toMatch(/got a symbolic link out of it; copy the file itself beside the model$/);
      await symlink(outside, join(folder, "sub"));
      expect((await errorOf(readExternal(external({ location: "sub/secret" })))).code).toBe("external-data");
      await writeFile(join(folder, "real.bin"), Uint8Array.of(5, 6, 7, 8));
      await symlink("real.bin", join(folder, "link.bin"));
      const read = await readExternal(external({ location: "link.bin" }));
      expect(read.graph!.initializer[0]!.rawData).toEqual(Uint8Array.of(5, 6, 7, 8));
    } finally {
      await rm(outside, { recursive: true, force: true });
    }
  });

  it("keeps references of a model that was parsed without its data only where they lead somewhere", async () => {
    const model = external({ location: "w.bin" });
    const path = join(folder, "copy.onnx");
    expect((await errorOf(writeModelFile(path, model))).message).toMatch(
      /^writeModelFile: tensor "W": location: expected the file/,
    );
    await writeFile(join(folder, "w.bin"), Uint8Array.of(1, 2, 3, 4));
    await writeModelFile(path, model);
    expect((await readModelFile(path)).graph!.initializer[0]!.rawData[3]).toBe(4);
    const clash = await errorOf(writeModelFile(path, model, { externalData: { location: "w.bin" } }));
    expect(clash.message).toMatch(/expected a data file that the model does not refer to, got "w\.bin"/);
  });

  it.each(["../w.bin", "", "a/b", "m.onnx", "c:w"])("refuses to write to %j", async (location) => {
    const error = await errorOf(
      writeModelFile(join(folder, "m.onnx"), sampleModel(4), { externalData: { location } }),
    );
    expect(error.code).toBe("invalid-value");
    expect(await readdir(folder)).toEqual([]);
  });

  it("changes neither file when the data file cannot be written", async () => {
    const path = join(folder, "m.onnx");
    await mkdir(join(folder, "m.onnx.data"));
    expect((await errorOf(writeModelFile(path, sampleModel(), { externalData: {} }))).code).toBe(
      "unwritable",
    );
    expect(await readdir(folder)).toEqual(["m.onnx.data"]);
  });
});
