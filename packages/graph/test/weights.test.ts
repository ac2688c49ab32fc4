import { describe, expect, it } from "vitest";
import { makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { weightSource, weightUsage } from "../src/index.js";
import { float, open } from "./small-models.js";

const tied = () =>
  open({
    nodes: [
      makeNode("Gather", ["table", "ids"], ["embedded"], { name: "embed" }),
      makeNode("Identity", ["table"], ["copy"], { name: "copy" }),
      makeNode("Transpose", ["copy"], ["turned"], { name: "turn" }),
      makeNode("MatMul", ["embedded", "turned"], ["y"], { name: "decode" }),
    ],
    inputs: [makeValueInfo("ids", "int64", ["n"])],
    outputs: [float("y")],
    initializers: [makeTensor("table", "float32", { values: [1, 2, 3, 4, 5, 6], shape: [3, 2] })],
  }).main;

describe("weightUsage", () => {
  it("follows a weight through Identity and Transpose to all its readers", () => {
    const { uses, shared } = weightUsage(tied(), "table");
    expect(shared).toBe(true);
    expect(
      uses.map(({ node, name, perm, through }) => [node.name, name, perm, through.map((one) => one.name)]),
    ).toEqual([
      ["embed", "table", undefined, []],
      ["decode", "turned", [1, 0], ["copy", "turn"]],
    ]);
  });

  it("calls a weight with one reader unshared, and one that is an output shared", () => {
    const graph = tied();
    graph.removeNode(graph.nodes[0] as never);
    expect(weightUsage(graph, "table").shared).toBe(false);
    graph.addOutput(float("copy"));
    expect(weightUsage(graph, "table").shared).toBe(true);
  });
});

describe("weightSource", () => {
  it("finds the initializer behind a transposed copy", () => {
    const source = weightSource(tied(), "turned");
    expect(source?.name).toBe("table");
    expect(source?.perm).toEqual([1, 0]);
    expect(source?.through.map(({ name }) => name)).toEqual(["copy", "turn"]);
    expect(source?.tensor.shape).toEqual([3, 2]);
    expect(source?.constantNode).toBeUndefined();
  });

  it("drops transpositions that undo each other", () => {
    const graph = tied();
    graph.addNode({
      opType: "Transpose",
      inputs: ["turned"],
      outputs: ["back"],
      attributes: { perm: [1, 0] },
    });
    expect(weightSource(graph, "back")?.perm).toBeUndefined();
  });

  it("is undefined for computed values", () => {
    expect(weightSource(tied(), "embedded")).toBeUndefined();
    expect(weightSource(tied(), "ids")).toBeUndefined();
  });
});

describe("Constant nodes", () => {
  it("hold weights in every form that the specification has", () => {
    const { main } = open({
      nodes: [
        makeNode("Constant", [], ["tensor"], {
          attributes: { value: makeTensor("", "float32", { values: [1, 2] }) },
        }),
        makeNode("Constant", [], ["float"], { attributes: { value_float: { kind: "float", value: 0.5 } } }),
        makeNode("Constant", [], ["floats"], {
          attributes: { value_floats: { kind: "floats", value: [1, 2.5] } },
        }),
        makeNode("Constant", [], ["int"], { attributes: { value_int: 7 } }),
        makeNode("Constant", [], ["ints"], { attributes: { value_ints: [3, 4] } }),
        makeNode("Constant", [], ["text"], { attributes: { value_string: "hello" } }),
        makeNode("Identity", ["tensor"], ["again"]),
        makeNode("Identity", ["again"], ["third"]),
      ],
      outputs: [float("third")],
    });
    const value = (name: string) => {
      const tensor = main.constant(name);
      return tensor && [tensor.dtype, tensor.shape, Array.from(tensor.data as Float32Array)];
    };
    expect(value("tensor")).toEqual(["float32", [2], [1, 2]]);
    expect(value("float")).toEqual(["float32", [], [0.5]]);
    expect(value("floats")).toEqual(["float32", [2], [1, 2.5]]);
    expect(value("int")).toEqual(["int64", [], [7n]]);
    expect(value("ints")).toEqual(["int64", [2], [3n, 4n]]);
    expect(value("text")).toBeUndefined();
    expect(value("third")).toEqual(["float32", [2], [1, 2]]);
    expect(weightSource(main, "third")?.constantNode?.output).toEqual(["tensor"]);
  });

  it("a circle of Identity nodes is no constant", () => {
    const { main } = open({
      nodes: [makeNode("Identity", ["a"], ["b"]), makeNode("Identity", ["b"], ["a"])],
      outputs: [float("a")],
    });
    expect(main.constant("a")).toBeUndefined();
    expect(weightSource(main, "a")).toBeUndefined();
    expect(weightUsage(main, "a").uses.length).toBeGreaterThan(0);
  });
});
