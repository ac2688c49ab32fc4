import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import type { ValueInfo } from "@nasty/runtime";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readFeeds } from "../../src/feeds/read-feeds.js";
import { readNpz } from "../../src/feeds/npz.js";
import { collectAll } from "../../src/texts/collect-all.js";

/** An array as numpy writes it: magic, version 1.0, a padded header, values. */
function npy(descr: string, shape: readonly number[], values: ArrayBufferView, order = "False"): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${tuple}, }`;
  const header = `${dictionary.padEnd(117)}\n`;
  const bytes = new Uint8Array(10 + header.length + values.byteLength);
  bytes.set([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0]);
  bytes.set(Buffer.from(header), 10);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 10 + header.length);
  return bytes;
}

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ path: folder, remove } = await makeTemporaryFolder("nasty-npz-test"));
});
afterAll(() => remove());

const inputs: readonly ValueInfo[] = [
  { name: "x", dtype: "float32", shape: ["batch", 2] },
  { name: "state", dtype: "float32", shape: [2, 1] },
  { name: "sr", dtype: "int64", shape: [] },
];
const x = npy("<f8", [3, 2], Float64Array.of(1, 2, 3, 4, 5, 6));
const state = npy("<f4", [3, 2, 1], Float32Array.of(10, 20, 30, 40, 50, 60));
const sr = npy("<i4", [], Int32Array.of(16_000));
const archive = (files: Readonly<Record<string, Uint8Array>>): Uint8Array => zipSync({ ...files });

test("rows are samples, stacked arrays are cut, what has no samples belongs to all", async () => {
  await writeFile(join(folder, "a.npz"), archive({ "x.npy": x, "state.npy": state, "sr.npy": sr }));
  const samples = await collectAll(readFeeds(join(folder, "a.npz"), inputs));
  expect(samples.map(({ place }) => place)).toEqual(["sample 1", "sample 2", "sample 3"]);
  expect(samples[1]?.feeds["x"]).toMatchObject({
    dtype: "float32",
    shape: [1, 2],
    data: Float32Array.of(3, 4),
  });
  expect(samples[2]?.feeds["state"]).toMatchObject({ shape: [2, 1], data: Float32Array.of(50, 60) });
  expect(samples[0]?.feeds["sr"]).toMatchObject({
    dtype: "int64",
    shape: [],
    data: BigInt64Array.of(16_000n),
  });
});

test.each<readonly [string, Readonly<Record<string, Uint8Array>>, RegExp]>([
  ["missing", { "x.npy": x, "sr.npy": sr }, /state: expected float32 \[2, 1\], got no such array/],
  [
    "unknown",
    { "x.npy": x, "state.npy": state, "sr.npy": sr, "y.npy": x },
    /y: expected one of the graph's inputs/,
  ],
  [
    "counts",
    { "x.npy": x, "state.npy": npy("<f4", [2, 2, 1], new Float32Array(4)), "sr.npy": sr },
    /samples: expected as many in every array, got 3 and 2/,
  ],
  [
    "type",
    { "x.npy": npy("<i4", [3, 2], new Int32Array(6)), "state.npy": state, "sr.npy": sr },
    /x: type: expected float32, got int32/,
  ],
])("refuses %s arrays", async (name, files, message) => {
  await writeFile(join(folder, `${name}.npz`), archive(files));
  await expect(collectAll(readFeeds(join(folder, `${name}.npz`), inputs))).rejects.toThrow(message);
});

test.each<readonly [string, Uint8Array, RegExp]>([
  ["no archive", Uint8Array.of(1, 2, 3), /expected an \.npz archive of numpy arrays/],
  ["no array", archive({ "x.npy": Uint8Array.of(1, 2) }), /expected a numpy array, got other bytes/],
  [
    "big-endian values",
    archive({ "x.npy": npy(">f4", [1], new Float32Array(1)) }),
    /expected numbers of type .*, got >f4/,
  ],
  [
    "Fortran order",
    archive({ "x.npy": npy("<f4", [1], new Float32Array(1), "True") }),
    /expected values in C order/,
  ],
  [
    "a short array",
    archive({ "x.npy": npy("<f4", [9], new Float32Array(1)) }),
    /expected 36 bytes of values for \[9\], got 4/,
  ],
])("refuses %s", (_, bytes, message) => {
  expect(() => readNpz(bytes, "a.npz")).toThrow(message);
});
