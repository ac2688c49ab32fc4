import { NastyError, type Tensor, tensor } from "@nasty/core";
import { type ModelProto, parseModel, serializeModel } from "@nasty/formats/onnx";
import fc from "fast-check";
import { expect, it } from "vitest";
import { openModel } from "../src/index.js";
import { floats } from "./against.js";
import { samples } from "./same-bits/sample-models.js";

const originals = samples();

/** One thing about a graph that is changed. */
const changes = fc.record({
  which: fc.nat(1),
  node: fc.nat(200),
  kind: fc.constantFrom("input", "swap", "attribute", "operator", "drop", "shape", "dims", "output", "type"),
  place: fc.nat(20),
  value: fc.integer({ min: -9, max: 9 }),
});

type Change = typeof changes extends fc.Arbitrary<infer T> ? T : never;

const at = <T>(list: readonly T[], index: number): T => list[index % Math.max(1, list.length)] as T;

function changed(model: ModelProto, { node: nodeIndex, kind, place, value }: Change): ModelProto {
  const copy = parseModel(serializeModel(model));
  const graph = copy.graph as NonNullable<ModelProto["graph"]>;
  const node = at(graph.node, nodeIndex);
  const names = [
    ...graph.initializer.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
    "x",
    "",
  ];
  switch (kind) {
    case "input":
      if (node.input.length > 0)
        node.input[place % node.input.length] = at(names, nodeIndex + place + value + 9);
      break;
    case "swap":
      node.input.reverse();
      break;
    case "attribute":
      for (const attribute of node.attribute) {
        attribute.i = BigInt(value);
        attribute.ints = attribute.ints.map(() => BigInt(value));
      }
      break;
    case "operator":
      node.opType = at(graph.node, nodeIndex + place).opType;
      node.domain = at(graph.node, nodeIndex + place).domain;
      break;
    case "drop":
      node.input.splice(place % Math.max(1, node.input.length));
      break;
    case "shape": {
      const weight = at(graph.initializer, place);
      weight.dims.reverse();
      break;
    }
    case "dims": {
      // Elements stay as many as the bytes hold, in another number of axes.
      const weight = at(graph.initializer, place);
      weight.dims = [weight.dims.reduce((a, b) => a * b, 1n)];
      break;
    }
    case "output":
      node.output.push("more");
      break;
    case "type": {
      const weight = at(graph.initializer, place);
      if (weight.dataType === 3) weight.dataType = 2;
      else if (weight.dataType === 1) weight.dataType = 6;
      break;
    }
  }
  return copy;
}

it("a graph that was changed runs, or is refused with a typed error: no trap, no bug", async () => {
  let refused = 0;
  let ran = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(changes, { minLength: 1, maxLength: 3 }), async (list) => {
      const { model, feeds } = originals[(list[0] as Change).which] as (typeof originals)[number];
      try {
        const opened = await openModel(list.reduce(changed, model));
        opened.run(feeds);
        opened.close();
        ran += 1;
      } catch (error) {
        if (!(error instanceof NastyError)) throw error;
        refused += 1;
      }
    }),
    { numRuns: Number(process.env["FUZZ_RUNS"] ?? 400) },
  );
  expect(refused).toBeGreaterThan(50);
  expect(ran).toBeGreaterThan(10);
});

it("feeds of any shape run, or are refused with a typed error", async () => {
  const { model } = originals[1] as (typeof originals)[number];
  const opened = await openModel(model);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(6), { minLength: 0, maxLength: 4 }),
      fc.array(fc.integer({ min: -3, max: 9 }), { maxLength: 5 }),
      async (shape, lengths) => {
        const feeds: Record<string, Tensor> = {
          x: floats([...shape, 37], 1),
          lengths: tensor("int32", [lengths.length], Int32Array.from(lengths)),
        };
        try {
          opened.run(feeds);
        } catch (error) {
          if (!(error instanceof NastyError)) throw error;
        }
      },
    ),
    { numRuns: 200 },
  );
});
