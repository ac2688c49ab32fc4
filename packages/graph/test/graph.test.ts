import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeNode, makeTensor, serializeModel } from "@nasty/formats/onnx";
import { GraphError, ModelGraph } from "../src/index.js";
import { branching, float, linear, modelOf, open } from "./small-models.js";

const thrown = (action: () => unknown): GraphError => {
  try {
    action();
  } catch (error) {
    if (error instanceof GraphError) return error;
    throw error;
  }
  throw new Error("expected a GraphError");
};

describe("index", () => {
  it("knows who makes and who reads a value", () => {
    const { main } = ModelGraph.from(linear());
    expect(main.producer("h")?.name).toBe("dense");
    expect(main.producer("x")).toBeUndefined();
    expect(main.consumers("W").map(({ node, index }) => [node.name, index])).toEqual([["dense", 1]]);
    expect(main.isOutput("y")).toBe(true);
    expect(main.isOutput("z")).toBe(false);
  });

  it("follows edits", () => {
    const { main } = ModelGraph.from(linear());
    const relu = main.producer("y");
    if (relu === undefined) throw new Error("no relu");
    main.setInput(relu, 0, "h");
    expect(main.consumers("z")).toEqual([]);
    expect(main.consumers("h").map(({ node }) => node.name)).toEqual(["bias", "relu"]);
    main.setOutput(relu, 0, "renamed");
    expect(main.producer("y")).toBeUndefined();
    expect(main.producer("renamed")).toBe(relu);
    main.removeNode(relu);
    expect(main.producer("renamed")).toBeUndefined();
    expect(main.consumers("h").map(({ node }) => node.name)).toEqual(["bias"]);
  });

  it("counts one node that reads a value twice as two uses", () => {
    const { main } = open({
      nodes: [makeNode("Mul", ["x", "x"], ["y"])],
      inputs: [float("x", [2])],
      outputs: [float("y")],
    });
    const [node] = main.nodes;
    expect(main.consumers("x").map(({ index }) => index)).toEqual([0, 1]);
    main.setInput(node as never, 1, "other");
    expect(main.consumers("x").map(({ index }) => index)).toEqual([0]);
  });

  it("equals an index built from the edited model, whatever the edits", () => {
    const edit = fc.record({
      kind: fc.constantFrom("add", "remove", "input", "output", "replace"),
      a: fc.nat(20),
      b: fc.nat(20),
    });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 30 }), (edits) => {
        const model = ModelGraph.from(linear());
        const { main } = model;
        const names = (): string[] => ["x", "W", "b", ...main.nodes.flatMap(({ output }) => output)];
        const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
        for (const { kind, a, b } of edits) {
          if (kind === "add" || main.nodes.length === 0) {
            const before = main.nodes.length > 0 && a % 2 === 0 ? { before: pick(main.nodes, a) } : {};
            main.addNode(
              {
                opType: "Add",
                inputs: [pick(names(), a), pick(names(), b)],
                outputs: [main.uniqueName("v")],
              },
              before,
            );
          } else if (kind === "remove") main.removeNode(pick(main.nodes, a));
          else if (kind === "input") main.setInput(pick(main.nodes, a), b % 3, pick(names(), b));
          else if (kind === "output") main.setOutput(pick(main.nodes, a), 0, main.uniqueName("o"));
          else main.replaceUses(pick(names(), a), pick(names(), b));
        }
        const rebuilt = ModelGraph.from(model.toModel()).main;
        const ids = new Map(main.nodes.map((node, position) => [node, position]));
        const rebuiltIds = new Map(rebuilt.nodes.map((node, position) => [node, position]));
        for (const name of names()) {
          const uses = (graph: typeof main, positions: Map<unknown, number>) =>
            graph
              .consumers(name)
              .map(({ node, index }) => `${positions.get(node)}:${index}`)
              .sort();
          expect(uses(main, ids)).toEqual(uses(rebuilt, rebuiltIds));
          const maker = main.producer(name);
          const rebuiltMaker = rebuilt.producer(name);
          expect(maker && ids.get(maker)).toBe(rebuiltMaker && rebuiltIds.get(rebuiltMaker));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("edits thousands of nodes without rebuilding", () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) =>
      makeNode("Relu", [i === 0 ? "x" : `v${i - 1}`], [`v${i}`]),
    );
    const { main } = open({ nodes, inputs: [float("x", [1])], outputs: [float("v19999")] });
    // An index rebuilt at each edit would take minutes: longer than a test may.
    for (const node of main.nodes) {
      const output = node.output[0] as string;
      const added = main.addNode(
        { opType: "Neg", inputs: [output], outputs: [`${output}_neg`] },
        { after: node },
      );
      main.replaceUses(output, `${output}_neg`, { except: [added] });
    }
    expect(main.nodeCount).toBe(40_000);
    main.sort();
    expect(main.nodes[1]?.opType).toBe("Neg");
  });
});

describe("nested graphs", () => {
  it("see names of the graph around, unless they hide them", () => {
    const { main } = ModelGraph.from(branching());
    const [thenGraph, elseGraph] = main.subgraphs(main.nodes[0] as never);
    expect(thenGraph?.path).toBe("main/choice.then_branch");
    expect(main.consumers("x").map(({ node, graph }) => [node.name, graph.path])).toEqual([
      ["inner", "main/choice.then_branch"],
      ["hidden", "main/choice.else_branch"],
    ]);
    expect(main.consumers("W").map(({ node }) => node.name)).toEqual(["inner"]);
    expect(thenGraph?.consumers("W").map(({ node }) => node.name)).toEqual(["inner"]);
    expect(elseGraph?.consumers("W").map(({ node }) => node.name)).toEqual(["hidden"]);
    expect(thenGraph?.constant("W")?.shape).toEqual([3, 2]);
    expect(elseGraph?.constant("W")?.shape).toEqual([3, 1]);
    expect(main.allGraphs()).toHaveLength(3);
  });

  it("are written back with their edits", () => {
    const model = ModelGraph.from(branching());
    model.main.replaceUses("x", "condition");
    const again = ModelGraph.from(model.toModel());
    expect(again.main.consumers("x")).toEqual([]);
    expect(again.main.consumers("condition")).toHaveLength(3);
  });

  it("read what a node handed on when it is taken out", () => {
    const model = ModelGraph.from(branching());
    const copy = model.main.addNode({ opType: "Identity", inputs: ["x"], outputs: ["copy"] });
    model.main.replaceUses("x", "copy", { except: [copy] });
    model.main.bypassNode(copy);
    expect(model.main.producer("copy")).toBeUndefined();
    expect(ModelGraph.from(model.toModel()).main.consumers("x")).toHaveLength(2);
  });

  it("refuse a replacement that they give another meaning", () => {
    const { main } = ModelGraph.from(branching());
    const error = thrown(() => main.replaceUses("x", "W"));
    expect(error.code).toBe("shadowed-value");
    expect(error.message).toBe(
      'replaceUses: node "hidden" (MatMul, graph main/choice.else_branch): "W": expected the value of graph main, got one of graph main/choice.else_branch',
    );
    expect(main.consumers("x")).toHaveLength(2);
  });

  it("go with their node", () => {
    const { main } = ModelGraph.from(branching());
    main.removeNode(main.nodes[0] as never);
    expect(main.consumers("x")).toEqual([]);
    expect(main.allGraphs()).toHaveLength(1);
  });
});

describe("editing", () => {
  it("puts nodes where asked and leaves a running loop alone", () => {
    const { main } = ModelGraph.from(linear());
    for (const node of main.nodes) {
      main.addNode(
        {
          opType: "Identity",
          name: `after ${node.name}`,
          inputs: [node.output[0] as string],
          outputs: [main.uniqueName("copy")],
        },
        { after: node },
      );
    }
    expect(main.nodes.map(({ name }) => name)).toEqual([
      "dense",
      "after dense",
      "bias",
      "after bias",
      "relu",
      "after relu",
    ]);
    main.addNode(
      { opType: "Identity", name: "first", inputs: ["x"], outputs: ["x2"] },
      { before: main.nodes[0] as never },
    );
    expect(main.nodes[0]?.name).toBe("first");
  });

  it("never makes a name twice", () => {
    const { main } = ModelGraph.from(branching());
    expect(main.uniqueName("t")).toBe("t_1");
    expect(main.uniqueName("t")).toBe("t_2");
    expect(main.uniqueName("inner")).toBe("inner_1");
    expect(main.uniqueName("fresh")).toBe("fresh");
    expect(main.addInitializer("W", { dtype: "float32", shape: [], data: new Float32Array(1) })).toBe("W_1");
  });

  it("refuses a second definition of a value", () => {
    const { main } = ModelGraph.from(linear());
    const error = thrown(() =>
      main.addNode({ opType: "Relu", name: "again", inputs: ["x"], outputs: ["h"] }),
    );
    expect(error.code).toBe("duplicate-value");
    expect(error.kind).toBe("input");
    expect(error.message).toBe(
      'ModelGraph: node "again" (Relu, graph main): value name: expected one definition in the graph, got a second of "h"',
    );
    expect(main.nodeCount).toBe(3);
  });

  it("refuses a node of another graph", () => {
    const one = ModelGraph.from(linear()).main;
    const two = ModelGraph.from(linear()).main;
    const error = thrown(() => one.removeNode(two.nodes[0] as never));
    expect(error.code).toBe("foreign-node");
    expect(error.message).toBe(
      'removeNode: node "dense" (MatMul): graph: expected a node of main, got one that is not in it',
    );
  });

  it("replaces an initializer under its name", () => {
    const model = ModelGraph.from(linear());
    model.main.setInitializer("b", { dtype: "float32", shape: [4], data: Float32Array.of(9, 9, 9, 9) });
    expect(Array.from(ModelGraph.from(model.toModel()).main.constant("b")?.data as Float32Array)).toEqual([
      9, 9, 9, 9,
    ]);
    expect(
      thrown(() => model.main.setInitializer("h", { dtype: "float32", shape: [], data: new Float32Array(1) }))
        .code,
    ).toBe("duplicate-value");
  });
});

describe("sort", () => {
  it("puts makers before readers, readings inside nested graphs included", () => {
    const source = branching();
    const model = ModelGraph.from(source);
    model.main.addNode({ opType: "Neg", name: "negated", inputs: ["x"], outputs: ["minus"] });
    model.main.replaceUses("x", "minus", { except: [model.main.producer("minus") as never] });
    model.main.sort();
    expect(model.main.nodes.map(({ name }) => name)).toEqual(["negated", "choice", "relu"]);
  });

  it("keeps an order that is right", () => {
    const { main } = ModelGraph.from(linear());
    const before = main.nodes;
    main.sort();
    expect(main.nodes).toEqual(before);
  });

  it("names the nodes of a cycle", () => {
    const { main } = open({
      nodes: [
        makeNode("Add", ["x", "c"], ["a"], { name: "one" }),
        makeNode("Neg", ["a"], ["b"], { name: "two" }),
        makeNode("Relu", ["b"], ["c"], { name: "three" }),
      ],
      inputs: [float("x", [1])],
      outputs: [float("c")],
    });
    const error = thrown(() => main.sort());
    expect(error.code).toBe("cycle");
    expect(error.message).toBe(
      'sort: graph main: nodes: expected no cycle, got "two" (Neg) → "three" (Relu) → "one" (Add) → "two" (Neg)',
    );
  });
});

describe("pruneUnused", () => {
  it("removes what no output depends on, inside nested graphs too", () => {
    const model = ModelGraph.from(branching());
    const { main } = model;
    const [thenGraph] = main.subgraphs(main.nodes[0] as never);
    thenGraph?.addNode({ opType: "Neg", inputs: ["x"], outputs: ["unused"] });
    main.addNode({ opType: "Neg", inputs: ["chosen"], outputs: ["unused2"] });
    main.addInitializer("stray", { dtype: "float32", shape: [], data: new Float32Array(1) });
    expect(main.pruneUnused()).toEqual({ nodes: 2, initializers: 1 });
    expect(serializeModel(model.toModel())).toEqual(serializeModel(branching()));
  });

  it("keeps inputs and what only a nested graph reads", () => {
    const { main } = ModelGraph.from(branching());
    expect(main.pruneUnused()).toEqual({ nodes: 0, initializers: 0 });
    expect(main.initializer("W")).toBeDefined();
  });
});

describe("the caller's model", () => {
  it("is not changed, and comes back byte for byte", () => {
    for (const build of [linear, branching]) {
      const source = build();
      const bytes = serializeModel(source);
      const model = ModelGraph.from(source);
      expect(serializeModel(model.toModel())).toEqual(bytes);
      const [node] = model.main.nodes;
      model.main.setInput(node as never, 0, "changed");
      model.main.setAttribute(node as never, "mode", "new");
      for (const graph of model.allGraphs())
        for (const inner of graph.nodes) graph.setOutput(inner, 0, graph.uniqueName("o"));
      model.setOpset("", 21);
      model.main.addInitializer("more", { dtype: "float32", shape: [], data: new Float32Array(1) });
      expect(serializeModel(source)).toEqual(bytes);
    }
  });

  it("shares its tensors", () => {
    const source = linear();
    const model = ModelGraph.from(source).toModel();
    expect(model.graph?.initializer[0]).toBe(source.graph?.initializer[0]);
  });

  it("does not show later edits in a written model", () => {
    const model = ModelGraph.from(linear());
    const written = model.toModel();
    const bytes = serializeModel(written);
    model.main.setInput(model.main.nodes[0] as never, 0, "changed");
    expect(serializeModel(written)).toEqual(bytes);
  });

  it("is refused if a value has two definitions", () => {
    const twice = modelOf({
      nodes: [makeNode("Relu", ["x"], ["y"], { name: "a" }), makeNode("Neg", ["x"], ["y"], { name: "b" })],
      inputs: [float("x", [1])],
      outputs: [float("y")],
      initializers: [makeTensor("w", "float32", { values: [1] })],
    });
    expect(thrown(() => ModelGraph.from(twice)).code).toBe("duplicate-value");
  });
});
