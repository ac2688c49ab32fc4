import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packInt4, type Tensor, tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  serializeModel,
} from "@nasty/formats/onnx";
import { afterAll, describe, expect, it } from "vitest";
import { openSession } from "../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "nasty-four-bit-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** y = q · 0.5 of int4 q, r = y as uint4 around zero point 8, fed and given back as they are. */
const model = makeModel(
  makeGraph("four bits", {
    nodes: [
      makeNode("DequantizeLinear", ["q", "scale"], ["y"]),
      makeNode("QuantizeLinear", ["y", "scale", "zero"], ["r"]),
      makeNode("DequantizeLinear", ["r", "scale", "zero"], ["z"]),
    ],
    inputs: [makeValueInfo("q", "int4", ["n"])],
    outputs: [makeValueInfo("r", "uint4", ["n"]), makeValueInfo("z", "float32", ["n"])],
    initializers: [
      makeTensor("scale", "float32", { values: [0.5], shape: [] }),
      makeTensor("zero", "uint4", { values: [8], shape: [] }),
    ],
  }),
  { opsets: { "": 21 }, irVersion: 10 },
);

describe("4-bit inputs and outputs", () => {
  it.each(["a parsed model", "bytes", "a file"])("go through a session of %s", async (kind) => {
    const bytes = serializeModel(model);
    const path = join(folder, "model.onnx");
    writeFileSync(path, bytes);
    const session = await openSession(kind === "a file" ? path : kind === "bytes" ? bytes : model);
    expect(session.inputs).toEqual([{ name: "q", dtype: "int4", shape: ["n"] }]);
    expect(session.outputs.map(({ name, dtype }) => [name, dtype])).toEqual([
      ["r", "uint4"],
      ["z", "float32"],
    ]);
    const values = Int8Array.of(-8, -1, 0, 3, 7);
    const q: Tensor = tensor("int4", [5], packInt4(values));
    const { r, z } = await session.run({ q });
    expect(r).toEqual(tensor("uint4", [5], packInt4(Uint8Array.of(0, 7, 8, 11, 15))));
    expect([...((z as Tensor).data as Float32Array)]).toEqual([-4, -0.5, 0, 1.5, 3.5]);
    await session.close();
  });
});
