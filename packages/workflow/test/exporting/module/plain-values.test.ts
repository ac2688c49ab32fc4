import { deepStrictEqual } from "node:assert/strict";
import { makeNode, makeTensor } from "@nasty/formats/onnx";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packValue, unpackValue } from "../../../src/exporting/module/plain-values.js";

const again = (value: unknown): unknown => unpackValue(packValue(value));

describe("packed values", () => {
  it("come back, whatever their keys and numbers are", () => {
    const leaf = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.double(),
      fc.bigInt(),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array(),
    );
    const key = fc.oneof(fc.string(), fc.constantFrom("$", "__proto__", "constructor", "0"));
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.array(fc.tuple(key, tie("tree")), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
      ),
    }));
    fc.assert(fc.property(tree, (value) => deepStrictEqual(again(value), value)));
  });

  it("are messages of ONNX files with the defaults of fields that are not set", () => {
    const node = makeNode("Cast", ["a"], ["b"], { attributes: { to: 1 } });
    const copy = again({
      node,
      tensor: makeTensor("w", "float32", { values: Float32Array.of(1, 2), shape: [2] }),
    }) as {
      node: typeof node;
      tensor: ReturnType<typeof makeTensor>;
    };
    expect(copy.node.domain).toBe("");
    expect(Object.keys(copy.node)).not.toContain("domain");
    const [to] = copy.node.attribute;
    expect([to?.i, to?.f, to?.refAttrName]).toEqual([1n, 0, ""]);
    expect(copy.tensor.rawData).toEqual(new Uint8Array(Float32Array.of(1, 2).buffer));
    expect(copy.tensor.rawData.byteOffset % 8).toBe(0);
    expect(copy.tensor.dataLocation).toBe(0);
  });

  it("are no functions, no maps, no objects of classes", () => {
    for (const value of [() => 1, new Map(), new Date(0), Symbol("s"), new Float32Array(1)])
      expect(() => packValue({ value })).toThrow(/^packValue: expected plain values, got \[object /);
  });
});
