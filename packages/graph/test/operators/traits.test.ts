import { makeNode } from "@nasty/formats/onnx";
import { expect, it } from "vitest";
import { isFlat, operatorLabel } from "../../src/index.js";

it("no gradient goes through whole numbers, truth values and shapes", () => {
  expect(["Shape", "ArgMax", "Equal"].map((op) => isFlat(makeNode(op, ["x"], ["y"])))).toEqual([
    true,
    true,
    true,
  ]);
  expect(["Relu", "MatMul", "Gather"].map((op) => isFlat(makeNode(op, ["x"], ["y"])))).toEqual([
    false,
    false,
    false,
  ]);
  expect(isFlat(makeNode("Round", ["x"], ["y"], { domain: "other" }))).toBe(false);
});

it.each([
  [1, false], // float32
  [11, false], // float64
  [7, true], // int64
  [9, true], // bool
  [10, true], // float16
])("a Cast to type %i is flat: %s", (to, flat) => {
  expect(isFlat(makeNode("Cast", ["x"], ["y"], { attributes: { to } }))).toBe(flat);
});

it("an operator of another domain is written with it", () => {
  expect(operatorLabel({ opType: "Gelu", domain: "com.microsoft" })).toBe("com.microsoft.Gelu");
  expect(operatorLabel({ opType: "Gelu", domain: "ai.onnx" })).toBe("Gelu");
});
