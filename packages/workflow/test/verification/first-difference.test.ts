import { tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
  type NodeProto,
} from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { expect, it } from "vitest";
import { firstDifference } from "../../src/verification/first-difference.js";
import { engineNamed, wrongEngine } from "./planted.js";

const width = 4;
const batch = {
  feeds: { x: tensor("float32", [2, width], Float32Array.of(1, -2, 3, 0.5, 2, 1, -1, 4)) },
};

function model(nodes: readonly NodeProto[]): ModelProto {
  const graph = makeGraph("chain", {
    nodes,
    inputs: [makeValueInfo("x", "float32", [2, width])],
    outputs: [makeValueInfo("y", "float32", [2, width])],
    initializers: [
      makeTensor("half", "float32", { values: Float32Array.of(0.5), shape: [] }),
      makeTensor("nothing", "float32", { values: Float32Array.of(0), shape: [] }),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

/** x → v0 → v1 → …, each half of the one before plus a half. */
const chain = (from: string, prefix: string, length: number): NodeProto[] =>
  Array.from({ length }, (_, i) =>
    makeNode("Add", [i === 0 ? from : `${prefix}${i - 1}`, "half"], [`${prefix}${i}`], {
      name: `/${prefix}/${i}`,
    }),
  );

const search = (engine: ReturnType<typeof engineNamed>, tolerance = 1e-3) => ({
  reference: engineNamed("native"),
  engine,
  batch,
  output: "y",
  tolerance,
  threads: 1,
  signal: undefined,
});

it("halves what is left, so that a few runs find one node among many", async () => {
  const length = 200;
  const nodes = [...chain("x", "v", length), makeNode("Neg", [`v${length - 1}`], ["y"], { name: "/end" })];
  for (const at of [0, 73, length - 1]) {
    const wrong = wrongEngine(`v${at}`, 1.5);
    const found = await firstDifference(model(nodes), search(wrong));
    expect(found).toMatchObject({ node: `/v/${at}`, operator: "Add", output: `v${at}`, from: "native" });
    expect(found?.error).toBeCloseTo(0.5);
    expect(wrong.opened()).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(length)));
  }
  expect(await firstDifference(model(nodes), search(wrongEngine("y", 2)))).toMatchObject({ node: "/end" });
});

it("looks above the value that departs, not above others that stand before it", async () => {
  // Half of the nodes before the wrong one agree, and so do half of those behind it: they are on the other branch.
  const nodes = [
    ...chain("x", "a", 20),
    ...chain("x", "b", 20),
    makeNode("Mul", ["a19", "half"], ["c"], { name: "/c" }),
    makeNode("Add", ["c", "b19"], ["y"], { name: "/join" }),
  ];
  for (const [value, node] of [
    ["a3", "/a/3"],
    ["b17", "/b/17"],
    ["c", "/c"],
  ] as const) {
    expect(await firstDifference(model(nodes), search(wrongEngine(value, 3)))).toMatchObject({ node });
  }
});

it("goes on above an input that departs where the departure was hidden on the way", async () => {
  // What b is wrong by is gone at c, and comes back by d: a departure that is not there at all values behind it.
  const nodes = [
    ...chain("x", "b", 3),
    makeNode("Mul", ["b2", "nothing"], ["c"], { name: "/c" }),
    ...chain("c", "d", 12),
    makeNode("Add", ["d11", "b2"], ["y"], { name: "/join" }),
  ];
  expect(await firstDifference(model(nodes), search(wrongEngine("b1", 2)))).toMatchObject({ node: "/b/1" });
});

it("says of a node that is wrong only where the engine joins it with others that it is so", async () => {
  const nodes = [...chain("x", "v", 3), makeNode("Neg", ["v2"], ["y"], { name: "/end" })];
  const right = engineNamed("joining");
  const joining = engineNamed("joining", {
    // Values in the middle that are asked for keep the nodes apart.
    open: async (given, options) =>
      typeof given !== "string" && given.graph?.output.length === 1
        ? wrongEngine("y", 2).open(given, options)
        : right.open(given, options),
  });
  expect(await firstDifference(model(nodes), search(joining))).toMatchObject({ node: "/end", fused: true });
});

it("names integers that depart, and nothing where no node makes the output", async () => {
  const nodes = [
    makeNode("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"], { name: "/quantize" }),
    makeNode("DequantizeLinear", ["q", "scale", "zero"], ["r"], { name: "/back" }),
    makeNode("Neg", ["r"], ["y"], { name: "/end" }),
  ];
  const swapped = engineNamed("swapped", {
    open: (given, options) => {
      if (typeof given === "string" || given.graph === undefined) throw new Error("expected a model");
      const node = given.graph.node.map((one) =>
        one.name === "/quantize" ? { ...one, input: ["doubled"] } : one,
      );
      const doubled = makeNode("Mul", ["x", "x"], ["doubled"], { name: "/doubled" });
      return openSession({ ...given, graph: { ...given.graph, node: [doubled, ...node] } }, options);
    },
  });
  const found = await firstDifference(model(nodes), search(swapped));
  expect(found).toMatchObject({ node: "/quantize", operator: "DynamicQuantizeLinear" });
  expect(["q", "scale", "zero"]).toContain(found?.output);
  expect(await firstDifference(model(nodes), { ...search(swapped), output: "x" })).toBeUndefined();
});
