import { alignRawData, tensorsOf } from "@nasty/formats/onnx";
import type { Graph, ModelGraph } from "@nasty/graph";

/** Whether an initializer's bytes may be written over. */
export type OwnBytes = (graph: Graph, name: string) => boolean;

/**
 * Which initializers have bytes that no other tensor of the model has (equal ranges of external data share theirs), and
 * moves those to where typed arrays can look at them: see `alignRawData`.
 */
export function takeOverBytes(model: ModelGraph): OwnBytes {
  const readers = new Map<ArrayBufferLike, Map<number, number>>();
  for (const { tensor } of tensorsOf(model.toModel())) {
    const { buffer, byteOffset } = tensor.rawData;
    const starts = readers.get(buffer) ?? new Map<number, number>();
    readers.set(buffer, starts.set(byteOffset, (starts.get(byteOffset) ?? 0) + 1));
  }
  const own = new Map<Graph, Set<string>>();
  for (const graph of model.allGraphs()) {
    const names = new Set<string>();
    own.set(graph, names);
    for (const [name, proto] of graph.initializers) {
      const { buffer, byteOffset, length } = proto.rawData;
      if (length === 0 || readers.get(buffer)?.get(byteOffset) !== 1) continue;
      alignRawData(proto);
      names.add(name);
    }
  }
  return (graph, name) => own.get(graph)?.has(name) === true;
}
