import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type AttributeValue,
  attributeOf,
  floatAttribute,
  floatsAttribute,
  type FormatError,
  graphAttribute,
  intAttribute,
  intsAttribute,
  makeAttribute,
  makeGraph,
  makeNode,
  makeTensor,
  stringAttribute,
  stringsAttribute,
  tensorAttribute,
} from "../../src/onnx/index.js";
import { AttributeProtoSchema } from "../../src/onnx/gen/onnx_pb.js";
import { errorOf } from "./wire.js";

const tensor = makeTensor("", "float32", { values: [1] });
const graph = makeGraph("body", { nodes: [], outputs: [] });
const attributes: Record<string, AttributeValue> = {
  axis: -1,
  epsilon: 0.1,
  alpha: { kind: "float", value: 1 },
  direction: "forward",
  value: tensor,
  body: graph,
  perm: [1, 0],
  scales: [0.5, 2],
  names: ["é", "b"],
  none: { kind: "ints", value: [] },
};
const node = makeNode("Op", ["x"], ["y"], { name: "n", attributes: { ...attributes, absent: undefined } });

function withAttribute(fields: object): typeof node {
  const built = makeNode("Op", [], ["out"]);
  built.attribute.push(create(AttributeProtoSchema, { name: "a", ...fields }) as AttributeProto);
  return built;
}

describe("attribute readers", () => {
  it("read what makeNode wrote", () => {
    expect(intAttribute(node, "axis")).toBe(-1);
    expect(floatAttribute(node, "epsilon")).toBe(Math.fround(0.1));
    expect(floatAttribute(node, "alpha")).toBe(1);
    expect(stringAttribute(node, "direction")).toBe("forward");
    expect(tensorAttribute(node, "value")).toBe(tensor);
    expect(graphAttribute(node, "body")).toBe(graph);
    expect(intsAttribute(node, "perm")).toEqual([1, 0]);
    expect(floatsAttribute(node, "scales")).toEqual([0.5, 2]);
    expect(stringsAttribute(node, "names")).toEqual(["é", "b"]);
    expect(intsAttribute(node, "none")).toEqual([]);
    expect(attributeOf(node, "absent")).toBeUndefined();
  });

  it("give the fallback, or undefined, for what is not there", () => {
    expect(intAttribute(node, "other", 3)).toBe(3);
    expect(intAttribute(node, "other")).toBeUndefined();
    expect(floatAttribute(node, "other", 0.5)).toBe(0.5);
    expect(stringAttribute(node, "other", "NOTSET")).toBe("NOTSET");
    expect(intsAttribute(node, "other", [1])).toEqual([1]);
    expect(floatsAttribute(node, "other", [1])).toEqual([1]);
    expect(stringsAttribute(node, "other", ["a"])).toEqual(["a"]);
    expect(tensorAttribute(node, "other")).toBeUndefined();
    expect(graphAttribute(node, "other")).toBeUndefined();
  });

  it("read attributes without a type, as IR version 1 wrote them", () => {
    expect(intAttribute(withAttribute({ i: 0n }), "a")).toBe(0);
    expect(errorOf(() => intAttribute(withAttribute({ f: 1 }), "a")).message).toBe(
      'intAttribute: node "out" (Op): attribute "a": expected INT, got another value without a type',
    );
  });

  it.each<[string, () => unknown, string]>([
    [
      "another type",
      () => intAttribute(node, "epsilon", 1),
      'intAttribute: node "n" (Op): attribute "epsilon": expected INT, got FLOAT',
    ],
    [
      "a list for a number",
      () => floatAttribute(node, "scales"),
      'floatAttribute: node "n" (Op): attribute "scales": expected FLOAT, got FLOATS',
    ],
    [
      "a reference of a function",
      () => intAttribute(withAttribute({ refAttrName: "axis", type: AttributeType.INT }), "a"),
      'intAttribute: node "out" (Op): attribute "a": expected INT, got a reference to "axis" of the enclosing function',
    ],
    [
      "more than a double holds",
      () => intAttribute(withAttribute({ i: 2n ** 60n, type: AttributeType.INT }), "a"),
      'intAttribute: node "out" (Op): attribute "a": expected an integer within ±2^53, got 1152921504606846976',
    ],
  ])("refuse %s", (_, run, message) => {
    const error = errorOf(run) as FormatError;
    expect(error.message).toBe(message);
    expect(error.code).toBe("attribute");
  });
});

describe("makeAttribute", () => {
  it.each<[AttributeValue, number]>([
    [1, AttributeType.INT],
    [1n, AttributeType.INT],
    [1.5, AttributeType.FLOAT],
    [Number.POSITIVE_INFINITY, AttributeType.FLOAT],
    ["s", AttributeType.STRING],
    [Uint8Array.of(255), AttributeType.STRING],
    [[1, 2n], AttributeType.INTS],
    [[1, 2.5], AttributeType.FLOATS],
    [["a"], AttributeType.STRINGS],
    [tensor, AttributeType.TENSOR],
    [{ dtype: "int8", shape: [1], data: Int8Array.of(3) }, AttributeType.TENSOR],
    [graph, AttributeType.GRAPH],
    [{ kind: "tensors", value: [tensor] }, AttributeType.TENSORS],
    [{ kind: "graphs", value: [graph] }, AttributeType.GRAPHS],
    [{ kind: "floats", value: [1] }, AttributeType.FLOATS],
    [{ kind: "strings", value: [] }, AttributeType.STRINGS],
  ])("makes the type that the value says: %#", (value, type) => {
    expect(makeAttribute("a", value).type).toBe(type);
  });

  it("refuses an empty list without a kind and integers beyond 64 bits", () => {
    expect(errorOf(() => makeAttribute("axes", [])).message).toMatch(
      /empty list: expected its kind, such as \{ kind: "ints"/,
    );
    expect(errorOf(() => makeAttribute("i", 2n ** 63n)).message).toBe(
      'makeAttribute: attribute "i": INT: expected 64 bits, got 9223372036854775808',
    );
    expect(errorOf(() => makeAttribute("i", 2 ** 60)).message).toMatch(
      /expected an integer within ±2\^53 or a bigint/,
    );
  });
});
