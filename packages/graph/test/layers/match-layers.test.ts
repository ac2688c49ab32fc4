import { describe, expect, it } from "vitest";
import { GraphError } from "../../src/index.js";
import { compilePattern, matchLayers } from "../../src/patterns.js";

const layers = [
  { names: ["/bert/encoder/layer.0/attention/self/query/MatMul", "onnx::MatMul_1"] },
  { names: ["/bert/encoder/layer.1/attention/self/query/MatMul", "onnx::MatMul_2"] },
  { names: ["/bert/encoder/layer.10/output/MatMul", "bert.encoder.layer.10.output.dense.weight"] },
  { names: ["/classifier/MatMul", "onnx::MatMul_3"] },
  { names: ["node_MatMul_12", "classifier.out_proj.weight"] },
];

const which = (...patterns: (string | RegExp)[]): number[] =>
  matchLayers(layers, patterns).matched.flatMap((pattern, index) => (pattern === undefined ? [] : [index]));

describe("matchLayers", () => {
  it.each([
    ["an exact name of a node", "/classifier/MatMul", [3]],
    ["an exact name of a weight", "onnx::MatMul_2", [1]],
    ["a bare name as a part of a path or of a dotted name", "classifier", [3, 4]],
    ["a bare name of several parts", "layer.1", [1]],
    ["a dotted name that the graph has as a path", "bert.encoder.layer.0.attention", [0]],
    ["a glob as a part", "class*", [3, 4]],
    ["a glob over parts", "layer.?", [0, 1]],
    ["a set", "layer.[01]", [0, 1]],
    ["a glob that ends in a part", "bert.encoder.layer.1*", [1, 2]],
    ["alternatives", "{query,output}", [0, 1, 2]],
    ["everything", "*", [0, 1, 2, 3, 4]],
    ["a path and what is below it", "/bert/encoder", [0, 1, 2]],
    ["a path anywhere", "encoder/layer.1", [1]],
    ["* within a segment", "/bert/encoder/*/attention/self/query/MatMul", [0, 1]],
    ["** across segments", "/bert/**", [0, 1, 2]],
    ["a path with a glob anywhere", "self/*/MatMul", [0, 1]],
    ["a regular expression anywhere", String.raw`/layer\.[0]\//`, [0]],
    ["a regular expression that looks like a path", "/attention/", [0, 1]],
    ["its flags", "/QUERY/i", [0, 1]],
    ["a regular expression of a program", /output/g, [2]],
  ])("matches %s: %s", (_, pattern, expected) => {
    expect(which(pattern)).toEqual(expected);
  });

  it.each(["/bert/*", "bert.encoder.layerX0*", "class", "/layer.0", "ncoder"])(
    "finds nothing for %s",
    (pattern) => {
      expect(which(pattern)).toEqual([]);
      expect(matchLayers(layers, [pattern]).missing?.pattern).toBe(pattern);
    },
  );

  it("takes an exact name for that layer alone", () => {
    const named = [{ names: ["dense"] }, { names: ["/dense/MatMul"] }];
    expect(matchLayers(named, ["dense"]).matched).toEqual(["dense", undefined]);
  });

  it("names layers near to a pattern that finds none", () => {
    expect(matchLayers(layers, ["clasifier"]).missing?.near[0]).toBe("/classifier/MatMul");
  });

  it.each([
    ["/(/", /expected a regular expression/],
    ["/(?=a)/", /no lookaround/],
    [`/${"(a{30}){30}".repeat(80)}/`, /repeats too much/],
    ["{1..1000000}", /at most 256 alternatives/],
    ["{a,b}".repeat(16), /at most 256 alternatives/],
    ["a".repeat(2000), /at most 1000 characters/],
  ])("refuses %.20s", (pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(GraphError);
    expect(() => compilePattern(pattern)).toThrow(message);
  });

  it("does not backtrack", () => {
    const name = "a".repeat(20_000);
    expect(compilePattern("/^(a+)+$x/")(name)).toBe(false);
    expect(compilePattern("*a*a*a*a*a*a*a*a*b")(name)).toBe(false);
  });
});
