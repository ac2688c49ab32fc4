import { maxAbsoluteError } from "@nasty/core";
import {
  copyMessage,
  type FunctionProto,
  makeAttribute,
  makeFunction,
  makeGraph,
  makeNode,
  makeValueInfo,
  type ModelProto,
  type NodeProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { describeGraph, inlineFunctions, ModelGraph, validateModel } from "@nasty/graph";
import { describe, expect, it } from "vitest";
import { dynamic, int8, prepareModel, pruner } from "../../src/index.js";
import { agreementDb, float, matrix, model, run } from "../tiny-models.js";

const pkg = "pkg.torch";

const call = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  name = "",
  attributes: Parameters<typeof makeNode>[3] = {},
): NodeProto => makeNode(op, inputs, outputs, { ...attributes, domain: pkg, name });

/** A reference to an attribute of the function. */
const reference = (name: string, to: string) => copyMessage(makeAttribute(name, 0), { refAttrName: to });

const referring = (node: NodeProto, name: string, to: string): NodeProto =>
  copyMessage(node, { attribute: [...node.attribute, reference(name, to)] });

function withFunctions(
  nodes: readonly NodeProto[],
  functions: readonly FunctionProto[],
  options: { readonly opset?: number; readonly initializers?: ReturnType<typeof matrix>[] } = {},
): ModelProto {
  const plain = model({
    nodes,
    initializers: options.initializers ?? [],
    inputs: [makeValueInfo("x", "float32", ["batch", 16])],
    opset: options.opset ?? 17,
    irVersion: 10,
  });
  const [first] = plain.opsetImport;
  return copyMessage(plain, {
    functions: [...functions],
    opsetImport: [...plain.opsetImport, copyMessage(first as never, { domain: pkg, version: 1n } as never)],
  });
}

const weight = (name: string, shape: readonly number[], seed: number): NodeProto =>
  makeNode("Constant", [], [name], { attributes: { value: matrix("", shape, seed) } });

/** Weights within: y = x·W (+ b where it is given), then a Relu. */
const layer = makeFunction(pkg, "Layer", {
  inputs: ["x", "b"],
  outputs: ["y"],
  opsets: { "": 17 },
  nodes: [
    weight("W", [16, 16], 5),
    makeNode("MatMul", ["x", "W"], ["h"], { name: "dense" }),
    makeNode("Relu", ["h"], ["y"], { name: "relu" }),
  ],
});

const outputOf = async (m: ModelProto): Promise<Float32Array> =>
  (await run(m, { x: float([3, 16]) }))["y"]?.data as Float32Array;

/** The runtime expands functions itself: what it computes is what ours must. */
async function expectSame(m: ModelProto): Promise<ModelProto> {
  const inlined = inlineFunctions(m);
  expect(inlined.functions).toEqual([]);
  validateModel(inlined);
  expect(maxAbsoluteError(await outputOf(m), await outputOf(inlined))).toBe(0);
  return inlined;
}

describe("inlineFunctions", () => {
  it("gives each call of a function names of its own", async () => {
    const inlined = await expectSame(
      withFunctions([call("Layer", ["x"], ["h"], "first"), call("Layer", ["h"], ["y"], "second")], [layer]),
    );
    expect(inlined.graph?.node.map(({ name }) => name).filter((name) => name !== "")).toEqual([
      "first/dense",
      "first/relu",
      "second/dense",
      "second/relu",
    ]);
    expect(inlined.opsetImport.map(({ domain }) => domain)).toEqual([""]);
  });

  it("binds attributes: of the call, of defaults, in nested functions and in graphs of the body; others are left out", async () => {
    const scaled = makeFunction(pkg, "Scaled", {
      inputs: ["x"],
      outputs: ["y"],
      attributes: ["axis"],
      defaults: [makeAttribute("alpha", 0.25)],
      opsets: { "": 17 },
      nodes: [
        referring(makeNode("LeakyRelu", ["x"], ["h"]), "alpha", "alpha"),
        referring(makeNode("Softmax", ["h"], ["y"]), "axis", "axis"),
      ],
    });
    const outer = makeFunction(pkg, "Outer", {
      inputs: ["x", "condition"],
      outputs: ["y"],
      attributes: ["slope"],
      opsets: { "": 17, [pkg]: 1 },
      nodes: [
        makeNode("If", ["condition"], ["y"], {
          name: "choice",
          attributes: {
            then_branch: makeGraph("then", {
              nodes: [referring(call("Scaled", ["x"], ["t"]), "alpha", "slope")],
              outputs: [makeValueInfo("t", "float32")],
            }),
            else_branch: makeGraph("else", {
              nodes: [makeNode("Identity", ["x"], ["t"])],
              outputs: [makeValueInfo("t", "float32")],
            }),
          },
        }),
      ],
    });
    const condition = makeNode("Constant", [], ["yes"], {
      attributes: { value: tensorToProto({ dtype: "bool", shape: [], data: Uint8Array.of(1) }, "") },
    });
    for (const attributes of [{}, { slope: 0.75 }]) {
      // The caller's own `t` must not be taken for that of the branch.
      const nodes = [
        condition,
        makeNode("Neg", ["x"], ["t"]),
        call("Outer", ["t", "yes"], ["y"], "", { attributes }),
      ];
      await expectSame(withFunctions(nodes, [scaled, outer]));
    }
  });

  it("takes optional inputs and outputs that a call leaves out, inputs handed through, and values handed out twice", async () => {
    const parts = makeFunction(pkg, "Parts", {
      inputs: ["x", "low", "high"],
      outputs: ["same", "clipped", "again"],
      opsets: { "": 17 },
      nodes: [makeNode("Clip", ["x", "low", "high"], ["clipped"])],
    });
    const through = copyMessage(parts, { output: ["x", "clipped", "clipped"] });
    const high = tensorToProto({ dtype: "float32", shape: [], data: Float32Array.of(0.5) }, "half");
    const nodes = [
      call("Parts", ["x", "", "half"], ["a", "b", "c"]),
      call("Parts", ["a"], ["", "d"]),
      makeNode("Sum", ["a", "b", "c", "d"], ["y"]),
    ];
    // The runtime itself takes no function that hands a value out twice.
    const inlined = inlineFunctions(withFunctions(nodes, [through], { initializers: [high] }));
    validateModel(inlined);
    const x = float([3, 16]).data as Float32Array;
    const expected = x.map((value) => 2 * value + 2 * Math.min(value, 0.5));
    expect(maxAbsoluteError(expected, await outputOf(inlined))).toBeLessThan(1e-6);
  });

  it("tells overloads apart", () => {
    const [one, two] = ["one", "two"].map((overload) =>
      makeFunction(pkg, "Act", {
        inputs: ["x"],
        outputs: ["y"],
        overload,
        opsets: { "": 17 },
        nodes: [makeNode(overload === "one" ? "Relu" : "Tanh", ["x"], ["y"])],
      }),
    ) as [FunctionProto, FunctionProto];
    const nodes = [
      copyMessage(call("Act", ["x"], ["h"]), { overload: "two" }),
      copyMessage(call("Act", ["h"], ["y"]), { overload: "one" }),
    ];
    const inlined = inlineFunctions(withFunctions(nodes, [one, two]));
    expect(inlined.graph?.node.map(({ opType }) => opType)).toEqual(["Tanh", "Relu"]);
  });

  it("raises model and functions to the newest operator set among them", async () => {
    const old = makeFunction(pkg, "Old", {
      inputs: ["x"],
      outputs: ["y"],
      opsets: { "": 11 },
      nodes: [
        makeNode("Unsqueeze", ["x"], ["h"], { attributes: { axes: [0] } }),
        makeNode("Squeeze", ["h"], ["y"], { attributes: { axes: [0] } }),
      ],
    });
    const nodes = [makeNode("Softmax", ["x"], ["h"]), call("Old", ["h"], ["y"])];
    for (const opset of [11, 17]) {
      const inlined = inlineFunctions(withFunctions(nodes, [old, layer], { opset }));
      expect(inlined.opsetImport.map(({ version }) => Number(version))).toEqual([opset]);
      expect((await outputOf(inlined)).length).toBe(48);
    }
  });

  it("refuses a function that calls itself, naming the way", () => {
    const body = (name: string, other: string) =>
      makeFunction(pkg, name, { inputs: ["x"], outputs: ["y"], nodes: [call(other, ["x"], ["y"])] });
    const round = withFunctions([call("A", ["x"], ["y"])], [body("A", "B"), body("B", "A")]);
    expect(() => inlineFunctions(round)).toThrow(
      expect.objectContaining({
        code: "recursive-function",
        message:
          "inlineFunctions: function pkg.torch.A: calls: expected none of itself, got pkg.torch.A → pkg.torch.B → pkg.torch.A",
      }),
    );
  });

  it("refuses calls that double forty times, before anything is expanded", () => {
    const levels = Array.from({ length: 40 }, (_, level) =>
      makeFunction(pkg, `F${level}`, {
        inputs: ["x"],
        outputs: ["y"],
        nodes:
          level === 0
            ? [makeNode("Relu", ["x"], ["y"])]
            : [call(`F${level - 1}`, ["x"], ["h"]), call(`F${level - 1}`, ["h"], ["y"])],
      }),
    );
    const bomb = withFunctions([call("F39", ["x"], ["y"])], levels);
    const limit = expect.objectContaining({ code: "expansion-limit" });
    expect(() => inlineFunctions(bomb)).toThrow(limit);
    const chain = Array.from({ length: 150 }, (_, level) =>
      makeFunction(pkg, `F${level}`, {
        inputs: ["x"],
        outputs: ["y"],
        nodes: [level === 0 ? makeNode("Relu", ["x"], ["y"]) : call(`F${level - 1}`, ["x"], ["y"])],
      }),
    );
    expect(() => inlineFunctions(withFunctions([call("F149", ["x"], ["y"])], chain))).toThrow(limit);
  });

  it("takes functions, operators and values with names that objects have", async () => {
    const names = ["constructor", "__proto__", "toString", "hasOwnProperty"];
    const functions = names.map((name) =>
      makeFunction(pkg, name, {
        inputs: ["x"],
        outputs: ["__proto__"],
        opsets: { "": 17 },
        nodes: [weight("constructor", [16, 16], 3), makeNode("MatMul", ["x", "constructor"], ["__proto__"])],
      }),
    );
    const values = ["x", "toString", "valueOf", "isPrototypeOf", "y"];
    const nodes = names.map((name, index) =>
      call(name, [values[index] as string], [values[index + 1] as string], name),
    );
    const m = withFunctions(nodes, functions);
    await expectSame(m);
    const outputs = copyMessage(m, {
      graph: copyMessage(
        m.graph as never,
        {
          output: values.slice(1).map((name) => makeValueInfo(name, "float32")),
        } as never,
      ),
    });
    expect(Object.keys(await run(outputs, { x: float([3, 16]) }))).toEqual(values.slice(1));
    const table = await int8.quantize(m, { calibrationData: [{ feeds: { x: float([3, 16]) } }] });
    expect(await agreementDb(m, table, { x: float([3, 16]) })).toBeGreaterThan(20);
    expect((await dynamic.plan(m)).tensors).toHaveLength(4);
    expect(await agreementDb(m, await dynamic.quantize(m), { x: float([3, 16]) })).toBeGreaterThan(20);
  });
});

describe("a model whose weights are in functions", () => {
  const m = withFunctions(
    [call("Layer", ["x"], ["h"], "first"), call("Layer", ["h"], ["y"], "second")],
    [layer],
  );
  const feeds = { x: float([3, 16]) };

  it("is described, quantized and pruned by what they hold, and the plan says so", async () => {
    expect(describeGraph(m).parameters).toBe(512);
    expect(ModelGraph.from(m).main.nodes).toHaveLength(6);
    expect(prepareModel(m).changes).toEqual([
      "the calls of 1 model-local function were replaced by their operators",
    ]);
    const plan = await dynamic.plan(m);
    expect(plan.tensors.map(({ sites }) => sites[0]?.node)).toEqual(["first/dense", "second/dense"]);
    expect(plan.warnings).toEqual(prepareModel(m).changes);
    expect(await agreementDb(m, (await dynamic.apply(m, plan)).model, feeds)).toBeGreaterThan(25);
    const calibrated = await int8.quantize(m, { calibrationData: [{ feeds }] });
    expect(await agreementDb(m, calibrated, feeds)).toBeGreaterThan(25);
    const pruning = await pruner.plan(m, { sparsity: 0.5 });
    expect((await pruner.apply(m, pruning)).report.parameters).toEqual({
      before: 512,
      after: 512,
      nonZero: 256,
    });
  });
});
