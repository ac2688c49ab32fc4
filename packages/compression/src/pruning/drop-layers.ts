import type { ModelProto } from "@nasty/formats/onnx";
import { CompressionError } from "../compression-error.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { PlannedLayer } from "./plan.js";

/** Takes layers out of the residual stream: whoever reads a layer's result reads what the layer was given. */
export function dropLayers(model: ModelProto, layers: readonly PlannedLayer[]): ModelProto {
  const opened = openForCompression(model);
  const graph = opened.main;
  // From the last: what a layer hands on is then what an earlier dropped one was given.
  for (const { layer, from, to } of layers.toReversed()) {
    const maker = graph.producer(to);
    if (!graph.defines(from) || maker === undefined) {
      throw new CompressionError(
        "plan-mismatch",
        `pruner.apply: layer ${layer}: expected values ${from} and ${to}, got a graph without them`,
      );
    }
    graph.replaceUses(to, from);
    if (graph.isOutput(to)) {
      // The output keeps its name: it copies what the layer before made.
      graph.removeNode(maker);
      graph.addNode({ opType: "Identity", inputs: [from], outputs: [to] });
    }
  }
  graph.pruneUnused();
  return opened.toModel();
}
