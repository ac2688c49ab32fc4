import { tensor } from "@nasty/core";
import { describe, expect, it } from "vitest";
import {
  alignRawData,
  makeGraph,
  makeModel,
  type ModelProto,
  parseModel,
  serializeModel,
  tensorFromProto,
  type TensorProto,
  tensorToProto,
} from "../../src/onnx/index.js";

const values = Float32Array.from({ length: 3000 }, (_, i) => Math.sin(i));
const doubles = Float64Array.from({ length: 50 }, (_, i) => i / 3);

/** Names of several lengths put the values at every remainder of their size. */
function sample(padding: number): ModelProto {
  const name = "x".repeat(padding);
  return makeModel(
    makeGraph("g", {
      nodes: [],
      outputs: [],
      initializers: [
        tensorToProto(tensor("float32", [3, 1000], values), `W${name}`),
        tensorToProto(tensor("float64", [50], doubles), "D"),
        tensorToProto(tensor("int8", [5], Int8Array.of(1, 2, 3, 4, 5)), "small"),
      ],
    }),
  );
}

const tensorsOf = (model: ModelProto): readonly TensorProto[] => model.graph?.initializer ?? [];
const dataOf = (proto: TensorProto | undefined) => tensorFromProto(proto as TensorProto).data;

describe("alignRawData", () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])("moves what a file has anywhere to where it is a view: %i", (padding) => {
    const bytes = serializeModel(sample(padding));
    const model = parseModel(bytes);
    const [weight, second, small] = tensorsOf(model);
    expect(tensorsOf(model).map(alignRawData)[0]).toBe(true);
    expect(Buffer.compare(Buffer.from(dataOf(weight) as Float32Array), Buffer.from(values))).toBe(0);
    expect(dataOf(weight).buffer).toBe(bytes.buffer);
    expect(dataOf(second)).toEqual(doubles);
    expect([...dataOf(small)]).toEqual([1, 2, 3, 4, 5]);
    // The model is what it was, whatever has become of the file's bytes.
    expect(Buffer.from(serializeModel(model)).equals(serializeModel(sample(padding)))).toBe(true);
  });

  it("has something to move", () => {
    const offsets = [0, 1, 2, 3].map(
      (padding) => (tensorsOf(parseModel(serializeModel(sample(padding))))[0]?.rawData.byteOffset ?? 0) % 4,
    );
    expect(offsets.sort()).toEqual([0, 1, 2, 3]);
  });

  it("leaves values alone that have other bytes before them", () => {
    const bytes = new Uint8Array(64).map((_, i) => i);
    const [proto] = tensorsOf(sample(0));
    const odd = { ...(proto as TensorProto), dims: [8n], rawData: bytes.subarray(5, 37) };
    expect(alignRawData(odd)).toBe(false);
    expect(odd.rawData.byteOffset).toBe(5);
    expect(bytes).toEqual(new Uint8Array(64).map((_, i) => i));
    const first = { ...(proto as TensorProto), dims: [8n], rawData: bytes.subarray(1, 33) };
    expect(alignRawData(first)).toBe(false);
  });
});
