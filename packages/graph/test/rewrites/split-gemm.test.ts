import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  makeNode,
  makeTensor,
  type TensorProto,
} from "@nasty/formats/onnx";
import { type Graph, type ModelGraph, splitGemm, transposeTensor } from "../../src/index.js";
import { float, open } from "../small-models.js";

type Matrix = readonly (readonly number[])[];

const matrixOf = (shape: readonly number[], data: ArrayLike<number>): Matrix => {
  const [rows, columns] = shape.length === 2 ? (shape as [number, number]) : [1, shape[0] ?? 1];
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (_, c) => data[r * columns + c] as number),
  );
};

const turn = (m: Matrix): Matrix => (m[0] ?? []).map((_, c) => m.map((row) => row[c] as number));
const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => (b[0] ?? []).map((_, c) => row.reduce((sum, v, k) => sum + v * (b[k]?.[c] as number), 0)));
const elementwise = (a: Matrix, b: Matrix, f: (x: number, y: number) => number): Matrix => {
  const at = (m: Matrix, r: number, c: number): number =>
    m[m.length === 1 ? 0 : r]?.[m[0]?.length === 1 ? 0 : c] as number;
  const rows = Math.max(a.length, b.length);
  const columns = Math.max(a[0]?.length ?? 0, b[0]?.length ?? 0);
  return Array.from({ length: rows }, (_, r) =>
    Array.from({ length: columns }, (_, c) => f(at(a, r, c), at(b, r, c))),
  );
};

/** Computes a value by the definitions of the few operators that take part. */
const evaluate = (graph: Graph, name: string, feeds: ReadonlyMap<string, Matrix>): Matrix => {
  const fed = feeds.get(name);
  if (fed !== undefined) return fed;
  const constant = graph.constant(name);
  if (constant !== undefined) return matrixOf(constant.shape, constant.data as Float32Array);
  const node = graph.producer(name);
  if (node === undefined) throw new Error(`no value ${name}`);
  const input = (index: number): Matrix => evaluate(graph, node.input[index] as string, feeds);
  switch (node.opType) {
    case "MatMul":
      return product(input(0), input(1));
    case "Transpose":
      expect(intsAttribute(node, "perm")).toEqual([1, 0]);
      return turn(input(0));
    case "Add":
      return elementwise(input(0), input(1), (x, y) => x + y);
    case "Mul":
      return elementwise(input(0), input(1), (x, y) => x * y);
    case "Gemm": {
      const a = intAttribute(node, "transA", 0) === 0 ? input(0) : turn(input(0));
      const b = intAttribute(node, "transB", 0) === 0 ? input(1) : turn(input(1));
      const scaled = product(a, b).map((row) => row.map((v) => v * floatAttribute(node, "alpha", 1)));
      if ((node.input[2] ?? "") === "") return scaled;
      return elementwise(scaled, input(2), (x, y) => x + y * floatAttribute(node, "beta", 1));
    }
    default:
      throw new Error(node.opType);
  }
};

const wave = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i + 1)));
const tensorOf = (name: string, shape: readonly number[]): TensorProto =>
  makeTensor(name, "float32", { values: wave(shape.reduce((a, b) => a * b, 1)), shape });

interface Case {
  readonly alpha: number;
  readonly beta: number;
  readonly transA: number;
  readonly transB: number;
  readonly constantB: boolean;
  readonly c: readonly number[] | undefined;
}

/** Two Gemms on one weight: y and z. */
const build = ({ alpha, beta, transA, transB, constantB, c }: Case): ModelGraph => {
  const attributes = {
    alpha: { kind: "float", value: alpha },
    beta: { kind: "float", value: beta },
    transA,
    transB,
  } as const;
  const inputs = c === undefined ? ["a", "b"] : ["a", "b", "c"];
  const bShape = transB ? [4, 3] : [3, 4];
  return open({
    nodes: [
      makeNode("Gemm", inputs, ["y"], { name: "first", attributes }),
      makeNode("Gemm", inputs, ["z"], { name: "second", attributes }),
    ],
    inputs: [float("a", transA ? [3, 2] : [2, 3]), ...(constantB ? [] : [float("b", bShape)])],
    outputs: [float("y"), float("z")],
    initializers: [
      ...(constantB ? [tensorOf("b", bShape)] : []),
      ...(c === undefined ? [] : [tensorOf("c", c)]),
    ],
  });
};

const cases = fc.record({
  alpha: fc.constantFrom(1, 0.5, 0.3),
  beta: fc.constantFrom(1, 0, 2.5),
  transA: fc.constantFrom(0, 1),
  transB: fc.constantFrom(0, 1),
  constantB: fc.boolean(),
  c: fc.constantFrom(undefined, [], [4], [1, 4], [2, 1], [2, 4], [1]),
});

describe("splitGemm", () => {
  it("computes what Gemm computed, whatever its attributes", () => {
    fc.assert(
      fc.property(cases, (one) => {
        const whole = build(one);
        const split = build(one);
        expect(splitGemm(split)).toHaveLength(2);
        expect(split.main.nodes.some(({ opType }) => opType === "Gemm")).toBe(false);
        const feeds = new Map([
          ["a", matrixOf(one.transA ? [3, 2] : [2, 3], wave(6))],
          ...(one.constantB ? [] : ([["b", matrixOf(one.transB ? [4, 3] : [3, 4], wave(12))]] as const)),
        ]);
        for (const name of ["y", "z"]) {
          const expected = evaluate(whole.main, name, feeds).flat();
          const got = evaluate(split.main, name, feeds).flat();
          expect(got).toHaveLength(expected.length);
          for (const [index, value] of got.entries()) expect(value).toBeCloseTo(expected[index] as number, 5);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("transposes a shared weight once and drops the old one", () => {
    const model = build({ alpha: 1, beta: 1, transA: 0, transB: 1, constantB: true, c: [4] });
    const splits = splitGemm(model);
    expect([...model.main.initializers.keys()].sort()).toEqual(["b_transposed", "c"]);
    expect(model.main.nodes.map(({ opType, name }) => `${opType} ${name}`)).toEqual([
      "MatMul first",
      "Add first/bias",
      "MatMul second",
      "Add second/bias",
    ]);
    expect(splits.map(({ matMul, add }) => [matMul.input[1], add?.output[0]])).toEqual([
      ["b_transposed", "y"],
      ["b_transposed", "z"],
    ]);
    expect(model.main.constant("b_transposed")?.shape).toEqual([3, 4]);
  });

  it("leaves out what adds nothing", () => {
    const plain = build({ alpha: 1, beta: 0, transA: 0, transB: 0, constantB: true, c: [4] });
    splitGemm(plain);
    expect(plain.main.nodes.map(({ opType }) => opType)).toEqual(["MatMul", "MatMul"]);
    expect(plain.main.producer("y")?.opType).toBe("MatMul");
    expect([...plain.main.initializers.keys()]).toEqual(["b"]);
  });

  it("splits only what it is asked to", () => {
    const model = build({ alpha: 1, beta: 1, transA: 0, transB: 1, constantB: true, c: [4] });
    expect(splitGemm(model, { only: ({ name }) => name === "second" })).toHaveLength(1);
    expect(model.main.nodes.map(({ opType }) => opType)).toEqual(["Gemm", "MatMul", "Add"]);
    expect([...model.main.initializers.keys()].sort()).toEqual(["b", "b_transposed", "c"]);
  });
});

it("transposeTensor moves every element to its place", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
      fc.nat(5),
      (shape, seed) => {
        const count = shape.reduce((a, b) => a * b, 1);
        const source = {
          dtype: "int32",
          shape,
          data: Int32Array.from({ length: count }, (_, i) => i),
        } as const;
        const perm = shape
          .map((_, axis) => axis)
          .sort((a, b) => ((a + seed) % shape.length) - ((b + seed) % shape.length));
        const turned = transposeTensor(source, perm);
        const inverse = perm.map((_, axis) => perm.indexOf(axis));
        expect(turned.shape).toEqual(perm.map((axis) => shape[axis]));
        expect(transposeTensor(turned, inverse).data).toEqual(source.data);
        const last = turned.shape.reduce((index, size) => index * size + size - 1, 0);
        expect(turned.data[last]).toBe(count - 1);
      },
    ),
    { numRuns: 50 },
  );
});
