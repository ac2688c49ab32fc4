import { type Tensor, tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  type ModelProto,
  serializeModel,
  tensorToProto,
} from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { openModel, PortableError } from "../src/index.js";
import { floats, modelOf, wholes } from "./against.js";
import { samples } from "./same-bits/sample-models.js";

const codeOf = async (run: () => Promise<unknown>): Promise<PortableError> => {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(PortableError);
    return error as PortableError;
  }
  return expect.fail("expected an error, got none");
};

const graph = (
  nodes: Parameters<typeof makeGraph>[1]["nodes"],
  initializers: Readonly<Record<string, Tensor>> = {},
): ModelProto =>
  makeModel(
    makeGraph("tiny", {
      nodes,
      inputs: [makeValueInfo("x", "float32", ["n", 4])],
      outputs: [makeValueInfo("y", "float32", ["n", 4])],
      initializers: Object.entries(initializers).map(([name, one]) => tensorToProto(one, name)),
    }),
  );

const x = tensor("float32", [2, 4], Float32Array.of(1, -2, 3, -4, 5, -6, 7, -8));

describe("opening a model", () => {
  it("names every node that cannot be run, and what about it", async () => {
    const error = await codeOf(() =>
      openModel(
        graph([
          makeNode("Celu", ["x"], ["a"], { name: "first" }),
          makeNode("Relu", ["x"], ["b"], { name: "fine" }),
          makeNode("Softmax", ["b"], ["c"], { name: "third", attributes: { temperature: 2 } }),
          makeNode("Attention", ["b"], ["d"], { name: "fourth", domain: "com.microsoft" }),
          makeNode("Add", ["a", "c"], ["e"], { name: "unknown types are not judged" }),
          makeNode("Add", ["e", "d"], ["y"], { name: "nor here" }),
        ]),
      ),
    );
    expect(error.code).toBe("unsupported-operator");
    expect(error.fields).toMatchObject({ node: "first", operator: "Celu" });
    expect(error.message).toBe(
      'openModel: 3 nodes: expected what the portable engine runs, got Celu "first": no such operator; ' +
        'Softmax "third": attribute temperature: expected axis; com.microsoft.Attention "fourth": no such operator',
    );
  });

  it("names a type that an operator does not take", async () => {
    const error = await codeOf(() =>
      openModel(
        modelOf({
          op: "Exp",
          inputs: [wholes("int64", [2], { seed: 1, min: 0, max: 9 })],
          outputs: ["int64"],
        }),
      ),
    );
    expect(error.code).toBe("unsupported-type");
    expect(error.message).toContain('Exp "node": input 0: type: expected float32, got int64');
  });

  it("names shapes that only a run gives", async () => {
    const shape = wholes("int64", [2], { seed: 1, min: 1, max: 2 });
    const error = await codeOf(() =>
      openModel(modelOf({ op: "Reshape", inputs: [floats([2, 1], 1), shape], outputs: ["float32"] })),
    );
    expect(error.message).toContain("input 1: expected values that follow from weights and shapes");
  });

  it("refuses what is no graph, or one of another form", async () => {
    const relu = makeNode("Relu", ["x"], ["y"], { name: "r" });
    const old = makeModel(graph([relu]).graph as NonNullable<ModelProto["graph"]>, { opsets: { "": 6 } });
    expect((await codeOf(() => openModel(old))).message).toContain("expected version 7 or later, got 6");
    const cycle = graph([
      makeNode("Add", ["x", "b"], ["a"]),
      makeNode("Relu", ["a"], ["b"]),
      makeNode("Relu", ["b"], ["y"]),
    ]);
    expect((await codeOf(() => openModel(cycle))).message).toContain("expected no cycle, got one");
    const nowhere = graph([makeNode("Add", ["x", "gone"], ["y"], { name: "a" })]);
    expect((await codeOf(() => openModel(nowhere))).message).toContain('Add "a": input gone');
    const twice = graph([relu, makeNode("Neg", ["x"], ["y"])]);
    expect((await codeOf(() => openModel(twice))).code).toBe("unsupported-model");
    await expect(openModel(new Uint8Array(3))).rejects.toMatchObject({ kind: "input" });
  });

  it("runs nodes in the order of their results, whatever the order in the file", async () => {
    const model = await openModel(graph([makeNode("Neg", ["a"], ["y"]), makeNode("Relu", ["x"], ["a"])]));
    expect([...(model.run({ x })["y"] as Tensor<"float32">).data]).toEqual([-1, -0, -3, -0, -5, -0, -7, -0]);
  });
});

describe("a run", () => {
  const open = () => openModel(serializeModel(graph([makeNode("Relu", ["x"], ["y"])])));

  it("refuses feeds that do not fit", async () => {
    const model = await open();
    const wrong: readonly [Readonly<Record<string, Tensor>>, string][] = [
      [{}, "input x: expected a tensor, got none"],
      [{ x, z: x }, "input z: no such input: expected x"],
      [
        { x: wholes("int8", [2, 4], { seed: 1, min: 0, max: 1 }) },
        "element type: expected float32, got int8",
      ],
      [{ x: floats([2, 3], 1) }, "shape: expected [n, 4], got [2, 3]"],
      [{ x: { ...x, shape: [3, 4] } }, "data length: expected 12, got 8"],
    ];
    for (const [feeds, message] of wrong) {
      const error = await codeOf(async () => model.run(feeds));
      expect(error.code).toBe("wrong-feed");
      expect(error.message).toContain(message);
    }
    expect((await codeOf(async () => model.run({ x }, ["z"]))).code).toBe("unknown-output");
    model.close();
    expect((await codeOf(async () => model.run({ x }))).code).toBe("closed");
  });

  it("writes into what it is given, and takes no rows at all", async () => {
    const model = await open();
    const out = tensor("float32", [2, 4], new Float32Array(8));
    expect(model.run({ x }, ["y"], { y: out })["y"]).toBe(out);
    expect([...out.data]).toEqual([1, 0, 3, 0, 5, 0, 7, 0]);
    expect((await codeOf(async () => model.run({ x: floats([3, 4], 1) }, ["y"], { y: out }))).code).toBe(
      "wrong-feed",
    );
    expect(model.run({ x: floats([0, 4], 1) })["y"]).toMatchObject({ shape: [0, 4] });
  });

  it("names the node whose values do not fit", async () => {
    const indices = tensor("int64", [3], BigInt64Array.of(0n, 5n, 1n));
    const gather = await openModel(
      modelOf({ op: "Gather", inputs: [floats([4, 2], 1), indices], weights: [0], outputs: ["float32"] }),
    );
    const error = await codeOf(async () => gather.run({ x1: indices }));
    expect(error.message).toBe('run: Gather "node": indices: element 1: expected -4 to 3, got 5');
    const add = await openModel(
      modelOf({ op: "Add", inputs: [floats([2], 1), floats([3], 1)], outputs: ["float32"] }),
    );
    const shapes = await codeOf(async () => add.run({ x0: floats([2], 1), x1: floats([3], 1) }));
    expect(shapes).toMatchObject({ code: "run-failed", node: "node", operator: "Add" });
  });

  it("takes a table's rows from where they are fed, at any number of rows", async () => {
    const places = tensor("int32", [2], Int32Array.of(1, -1));
    const model = await openModel(
      modelOf({ op: "Gather", inputs: [floats([3, 2], 1), places], outputs: ["float32"] }),
    );
    for (const rows of [2, 5, 3]) {
      const table = floats([rows, 2], rows);
      const expected = [...table.data.subarray(2, 4), ...table.data.subarray(rows * 2 - 2)];
      expect([...(model.run({ x0: table, x1: places })["y0"] as Tensor<"float32">).data]).toEqual(expected);
    }
    const outside = tensor("int32", [1], Int32Array.of(3));
    expect((await codeOf(async () => model.run({ x0: floats([3, 2], 1), x1: outside }))).message).toContain(
      "indices: element 0: expected -3 to 2, got 3",
    );
  });

  it("gives the same for the same feeds, whatever was run between", async () => {
    const { model, feeds } = samples()[1] as ReturnType<typeof samples>[number];
    const opened = await openModel(model);
    const first = opened.run(feeds);
    const short = {
      x: floats([3, 1, 37], 9),
      lengths: tensor("int32", [1], Int32Array.of(3)),
    };
    opened.run(short);
    expect(opened.run(feeds)).toEqual(first);
  });
});

it("does not grow over many runs of many shapes", async () => {
  const { model } = samples()[1] as ReturnType<typeof samples>[number];
  const opened = await openModel(model, { keptPlans: 8 });
  const run = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const steps = 1 + (i % 29);
      const lengths = tensor("int32", [1], Int32Array.of(steps));
      opened.run({ x: floats([steps, 1, 37], 1 + (i % 7)), lengths });
    }
  };
  run(0, 500);
  const memory = () => process.memoryUsage().arrayBuffers;
  globalThis.gc?.();
  const before = memory();
  run(500, 3000);
  globalThis.gc?.();
  // Results that are not collected yet are below this; a plan or a page a run would be far above.
  expect(memory() - before).toBeLessThan(8e6);
});
