import { describe, expect, it } from "vitest";
import {
  checkOpset,
  type FormatError,
  getMetadata,
  makeGraph,
  makeModel,
  withMetadata,
} from "../../src/onnx/index.js";
import { errorOf } from "./wire.js";

const model = makeModel(makeGraph("g", { nodes: [], outputs: [] }));

describe("withMetadata", () => {
  it("adds, replaces in place and removes, and leaves the caller's model alone", () => {
    const first = withMetadata(model, { a: "1", b: "2", c: "3" });
    const second = withMetadata(first, { d: "4", a: "one", b: undefined });
    expect(second.metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ["a", "one"],
      ["c", "3"],
      ["d", "4"],
    ]);
    expect(getMetadata(first, "a")).toBe("1");
    expect(getMetadata(second, "b")).toBeUndefined();
    expect(model.metadataProps).toEqual([]);
    expect(second.graph).toBe(model.graph);
  });

  it("leaves one of a key that a file repeats", () => {
    const [entry] = withMetadata(model, { k: "1" }).metadataProps;
    const repeated = withMetadata(model, {});
    repeated.metadataProps.push(entry!, entry!);
    expect(withMetadata(repeated, { k: "2" }).metadataProps.map(({ value }) => value)).toEqual(["2"]);
  });
});

describe("checkOpset", () => {
  const graph = makeGraph("g", { nodes: [], outputs: [] });

  it.each([7, 17, 25])("takes opset %i", (version) => {
    const versions = checkOpset(makeModel(graph, { opsets: { "": version, "com.microsoft": 1 } }));
    expect([...versions]).toEqual([
      ["", version],
      ["com.microsoft", 1],
    ]);
  });

  it("knows the default domain by its other name", () => {
    expect(checkOpset(makeModel(graph, { opsets: { "ai.onnx": 12 } })).get("")).toBe(12);
  });

  it.each<[Record<string, number>, string]>([
    [
      { "": 6 },
      'model: operator set "ai.onnx": expected version 7 to 25, got 6; convert the model to a newer opset',
    ],
    [
      { "": 26 },
      'model: operator set "ai.onnx": expected version 7 to 25, got 26; export the model with an older opset',
    ],
    [{ "com.microsoft": 1 }, 'model: operator set "ai.onnx": expected to be imported, got com.microsoft'],
    [{}, 'model: operator set "ai.onnx": expected to be imported, got no operator sets'],
    [{ "": 13, "ai.onnx": 14 }, 'model: operator set "ai.onnx": expected one version, got 13 and 14'],
  ])("refuses %o", (opsets, what) => {
    const error = errorOf(() => checkOpset(makeModel(graph, { opsets }))) as FormatError;
    expect(error.message).toBe(`checkOpset: ${what}`);
    expect(error.code).toBe("version");
  });
});
