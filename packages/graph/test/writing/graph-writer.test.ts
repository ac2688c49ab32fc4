import { makeValueInfo, serializeModel } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { GraphError, type GraphWriterOptions, graphWriter, ModelGraph, nodeWriter } from "../../src/index.js";

function emptyWriter(options?: GraphWriterOptions) {
  const model = ModelGraph.empty("written");
  model.main.addInput(makeValueInfo("x", "float32", ["n"]));
  return { model, graph: model.main, writer: graphWriter(model.main, options) };
}

describe("nodes", () => {
  it("are named after their first output, which nothing else is called", () => {
    const { graph, writer } = emptyWriter({ prefix: "part/" });
    graph.addInput(makeValueInfo("part/Relu", "float32"));
    expect(writer.op("Relu", ["x"])).toBe("part/Relu_1");
    expect(writer.ops("Split", ["x"], 2, { axis: 0 })).toEqual(["part/Split", "part/Split_1"]);
    expect(graph.nodes.map(({ name, output }) => [name, output])).toEqual([
      ["part/Relu_1", ["part/Relu_1"]],
      ["part/Split", ["part/Split", "part/Split_1"]],
    ]);
    expect(graph.nodes[1]?.attribute.map(({ name }) => name)).toEqual(["axis"]);
  });

  it("have the names that are asked for, without the prefix", () => {
    const { graph, writer } = emptyWriter({ prefix: "part/" });
    expect(writer.named("y", "Relu", ["x"])).toBe("y");
    expect(graph.producer("y")).toMatchObject({ name: "y", opType: "Relu", input: ["x"] });
    expect(() => writer.named("x", "Relu", ["y"])).toThrow(GraphError);
  });

  it("are changed by `edit` before they are added", () => {
    const { graph, writer } = emptyWriter({ edit: (node) => ({ ...node, domain: "other" }) });
    writer.op("Relu", ["x"]);
    expect(graph.nodes[0]?.domain).toBe("other");
  });

  it("go wherever a target puts them", () => {
    const added: string[] = [];
    let count = 0;
    const writer = nodeWriter(
      { uniqueName: (name) => `${name}#${count++}`, addNode: ({ opType }) => added.push(opType) },
      "b/",
    );
    const [first, second] = writer.ops("Split", [writer.op("Relu", ["x"])], 2);
    expect([first, second]).toEqual(["b/Split#1", "b/Split#2"]);
    expect(added).toEqual(["Relu", "Split"]);
  });
});

describe("constants", () => {
  it("are one initializer for the same type, shape and values", () => {
    const { graph, writer } = emptyWriter();
    const one = writer.constant("int64", [1], [7]);
    expect(writer.constant("int64", [1], [7])).toBe(one);
    const others = [
      writer.constant("int64", [], [7]),
      writer.constant("int32", [1], [7]),
      writer.constant("int64", [1], [8]),
      writer.constant("float32", [], [0]),
      writer.constant("float32", [], [-0]),
    ];
    expect(new Set([one, ...others]).size).toBe(6);
    expect(graph.constant(one)).toEqual({ dtype: "int64", shape: [1], data: BigInt64Array.of(7n) });
    expect(Object.is(graph.constant(others[4] as string)?.data[0], -0)).toBe(true);
  });

  it("have the name that is proposed where it is free", () => {
    const { writer } = emptyWriter();
    expect(writer.constant("float32", [], [2], "two")).toBe("two");
    expect(writer.constant("float32", [], [2], "deux")).toBe("two");
    expect(writer.constant("float32", [], [3], "x")).toBe("x_1");
  });
});

describe("initializers", () => {
  const ones = { dtype: "float32", shape: [2], data: Float32Array.of(1, 1) } as const;

  it("are made once for each name, of shared data", () => {
    const { graph, writer } = emptyWriter();
    let made = 0;
    const make = () => {
      made++;
      return ones;
    };
    expect([writer.initializer("W", make), writer.initializer("W", make)]).toEqual(["W", "W"]);
    expect(made).toBe(1);
    expect(graph.initializer("W")?.rawData.buffer).toBe(ones.data.buffer);
  });

  it("are refused under a name that the graph uses for something else", () => {
    const { graph, writer } = emptyWriter();
    graph.setInitializer("W", ones);
    for (const name of ["W", "x"])
      expect(() => writer.initializer(name, () => ones)).toThrow(
        expect.objectContaining({ code: "duplicate-value" }),
      );
  });
});

it("a written model has what was written, in that order", () => {
  const { model, graph, writer } = emptyWriter();
  const scaled = writer.op("Mul", ["x", writer.constant("float32", [], [2], "two")]);
  writer.named("y", "Add", [scaled, writer.constant("float32", [], [1], "one")]);
  graph.addOutput(makeValueInfo("y", "float32", ["n"]));
  const written = model.toModel();
  expect(written).toMatchObject({ irVersion: 10n, opsetImport: [{ domain: "", version: 21n }] });
  expect(written.graph?.name).toBe("written");
  expect(written.graph?.node.map(({ name }) => name)).toEqual(["Mul", "y"]);
  expect(written.graph?.initializer.map(({ name }) => name)).toEqual(["two", "one"]);
  expect(serializeModel(written)).toEqual(serializeModel(ModelGraph.from(written).toModel()));
  expect(ModelGraph.empty("old", { opsets: { "": 17 }, irVersion: 8 }).toModel()).toMatchObject({
    irVersion: 8n,
    opsetImport: [{ version: 17n }],
  });
});
