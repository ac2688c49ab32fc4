import { copyMessage, type GraphProto, type ModelProto } from "@nasty/formats/onnx";
import { buildTrainingGraph } from "@nasty/training";
import { describe, expect, it } from "vitest";
import { dynamic, int4, int8, pairUnits, pruner } from "../src/index.js";
import { tinyBert, tinyFeeds } from "./pruning/tiny-bert.js";
import { agreementDb, ops } from "./tiny-models.js";

/** The same model with ONNX's own domain written out, as some exporters do. */
function written(model: ModelProto): ModelProto {
  const long = (domain: string): string => (domain === "" ? "ai.onnx" : domain);
  const graph = model.graph as GraphProto;
  return copyMessage(model, {
    opsetImport: model.opsetImport.map((entry) => copyMessage(entry, { domain: long(entry.domain) })),
    graph: copyMessage(graph, {
      node: graph.node.map((node) => copyMessage(node, { domain: long(node.domain) })),
    }),
  });
}

describe("a model whose nodes say ai.onnx", () => {
  const short = tinyBert({ tied: true });
  const long = written(short);
  const calibrationData = [{ feeds: tinyFeeds() }];

  it("is quantized as one that leaves the domain out", async () => {
    expect(long.graph?.node.every(({ domain }) => domain === "ai.onnx")).toBe(true);
    expect(ops(await dynamic.quantize(long))).toEqual(ops(await dynamic.quantize(short)));
    expect(ops(await int4.quantize(long))).toEqual(ops(await int4.quantize(short)));
    const statically = await int8.quantize(long, { calibrationData });
    expect(ops(statically)).toEqual(ops(await int8.quantize(short, { calibrationData })));
    expect(await agreementDb(short, statically, tinyFeeds())).toBeGreaterThan(15);
    expect(pairUnits(long).layers).toBe(pairUnits(short).layers);
  });

  it("is pruned and differentiated", async () => {
    const half = { sparsity: 0.5, structured: true } as const;
    expect((await pruner.prune(long, half)).graph?.node.length).toBe(
      (await pruner.prune(short, half)).graph?.node.length,
    );
    const training = (model: ModelProto) =>
      buildTrainingGraph(model, {
        loss: { kind: "cross-entropy", logits: "logits", labels: "labels" },
        trainable: [/./],
      }).model.graph?.node.length;
    expect(training(long)).toBe(training(short));
  });
});
