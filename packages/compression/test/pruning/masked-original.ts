import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import type { PruningPlan } from "../../src/index.js";

/** The original with the rows of every unit that a plan removes set to zero: what the smaller graph must equal. */
export function maskedOriginal(model: ModelProto, plan: PruningPlan, isTransposed = false): ModelProto {
  const opened = ModelGraph.from(model);
  const graph = opened.main;
  const units = [
    ...plan.heads.map(({ weight, remove, width }) => ({ weight, remove, width })),
    ...plan.neurons.map(({ weight, remove }) => ({ weight, remove, width: 1 })),
  ];
  for (const { weight, remove, width } of units) {
    const value = graph.constant(weight) as Tensor<"float32">;
    const [first = 0, second = 0] = value.shape;
    const data = Float32Array.from(value.data);
    for (let i = 0; i < data.length; i++) {
      const row = isTransposed ? i % second : Math.floor(i / second);
      if (remove.includes(Math.floor(row / width))) {
        data[i] = 0;
      }
    }
    const node = graph.producer(weight);
    if (node !== undefined) {
      graph.removeNode(node);
    }
    graph.setInitializer(weight, { dtype: "float32", shape: [first, second], data });
  }
  return opened.toModel();
}
