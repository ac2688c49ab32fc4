import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { auxiliaryOutput } from "./graph-values.js";

/** A model without the heads that only help while training, and without its Dropout nodes: what is shipped. */
export function dropAuxiliary(model: ModelProto): ModelProto {
  const edited = ModelGraph.from(model);
  const { main } = edited;
  const auxiliary = main.outputs.filter(({ name }) => name.startsWith(auxiliaryOutput("")));
  for (const { name } of auxiliary) main.removeOutput(name);
  for (const node of main.nodes.filter(({ opType }) => opType === "Dropout")) main.bypassNode(node);
  main.pruneUnused();
  return edited.toModel();
}
