import { ModelGraph } from "@nasty/graph";
import { expect, it } from "vitest";
import { fakeQuantization } from "../../src/index.js";
import { smallTagger } from "./small-tagger.js";

it("rounds activations in front of Dropout, which the exported model does not have, for the product alone", () => {
  const model = ModelGraph.from(smallTagger());
  const graph = model.main;
  fakeQuantization().rewrite?.(model);
  const producer = (name = "") => graph.producer(name);
  const first = graph.nodes.find(({ name }) => name === "first");
  const dropout = producer(first?.input[0]);
  expect(dropout?.opType).toBe("Dropout");
  const chosen = producer(dropout?.input[0]);
  expect(chosen?.opType).toBe("Where");
  expect(chosen?.input.map((name) => producer(name)?.opType)).toContain("DequantizeLinear");
  // The residual path has the real rows of the embedding, rounded as its file will have them.
  const residual = graph.nodes.find(({ output }) => output[0] === "sum");
  const other = producer(residual?.input[1]);
  expect(other?.name).toBe("drop");
  expect(other?.input[0]).toBe(chosen?.input[2]);
});
