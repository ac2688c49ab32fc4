import { describe, expect, it } from "vitest";
import { copyMessage, makeNode, makeTensor } from "@nasty/formats/onnx";
import { GraphError, ModelGraph } from "../src/index.js";
import { float, linear, modelOf } from "./small-models.js";

/** IR version 3 style: every initializer is listed as an input too. */
const listed = (irVersion: number) =>
  modelOf(
    {
      nodes: [makeNode("Add", ["x", "b"], ["y"])],
      inputs: [float("x", [2]), float("b", [2])],
      outputs: [float("y", [2])],
      initializers: [makeTensor("b", "float32", { values: [1, 2] })],
    },
    { irVersion, opsets: { "": 9 } },
  );

const inputsOf = (model: ModelGraph): readonly string[] =>
  model.toModel().graph?.input.map(({ name }) => name) ?? [];

describe("initializers that are inputs too", () => {
  it("are constants before IR version 4", () => {
    const model = ModelGraph.from(listed(3));
    expect(model.main.constant("b")?.shape).toEqual([2]);
    expect(model.main.isOverridable("b")).toBe(false);
    expect(model.main.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(inputsOf(model)).toEqual(["x", "b"]);
  });

  it("may be fed from IR version 4 on", () => {
    const model = ModelGraph.from(listed(4));
    expect(model.main.constant("b")).toBeUndefined();
    expect(model.main.isOverridable("b")).toBe(true);
    expect(model.main.initializer("b")).toBeDefined();
    expect(model.main.inputs.map(({ name }) => name)).toEqual(["x", "b"]);
    expect(inputsOf(model)).toEqual(["x", "b"]);
  });

  it("are what the caller says they are", () => {
    expect(ModelGraph.from(listed(3), { listedInitializers: "input" }).main.constant("b")).toBeUndefined();
    const constant = ModelGraph.from(listed(8), { listedInitializers: "constant" });
    expect(constant.main.constant("b")).toBeDefined();
    expect(inputsOf(constant)).toEqual(["x"]);
  });

  it("stay constants when the IR version is raised, and new ones are listed where it asks for it", () => {
    const model = ModelGraph.from(listed(3));
    model.main.addInitializer("more", { dtype: "float32", shape: [1], data: new Float32Array(1) });
    expect(inputsOf(model)).toEqual(["x", "b", "more"]);
    model.setIrVersion(8);
    expect(inputsOf(model)).toEqual(["x"]);
    model.setIrVersion(3);
    model.main.removeInitializer("b");
    expect(inputsOf(model)).toEqual(["x", "more"]);
  });
});

describe("operator sets", () => {
  it("can be read, raised and added", () => {
    const model = ModelGraph.from(linear());
    expect(model.opset()).toBe(17);
    expect(model.opset("ai.onnx")).toBe(17);
    expect(model.opset("com.microsoft")).toBe(0);
    model.setOpset("ai.onnx", 21);
    model.setOpset("com.microsoft", 1);
    expect(model.toModel().opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ["", 21n],
      ["com.microsoft", 1n],
    ]);
  });
});

it("refuses a model without a graph", () => {
  const empty = copyMessage(linear(), { graph: undefined });
  expect(() => ModelGraph.from(empty)).toThrow(GraphError);
  expect(() => ModelGraph.from(empty)).toThrow("ModelGraph.from: model: graph: expected one, got none");
});
