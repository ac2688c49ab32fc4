import { alignRawData, type TensorProto, tensorsOf } from "@nasty/formats/onnx";
import type { Graph, ModelGraph } from "@nasty/graph";

/** Whether an initializer's bytes may be written over. */
export type OwnBytes = (graph: Graph, name: string) => boolean;

/**
 * Which initializers have bytes that no other tensor of the model has (ranges of external data may be the same or
 * overlap), and moves those to where typed arrays can look at them: see `alignRawData`.
 */
export function takeOverBytes(model: ModelGraph): OwnBytes {
  const shared = sharingBytes(Array.from(tensorsOf(model.toModel()), ({ tensor }) => tensor));
  const own = new Map<Graph, Set<string>>();
  for (const graph of model.allGraphs()) {
    const names = new Set<string>();
    own.set(graph, names);
    for (const [name, proto] of graph.initializers) {
      const { buffer, byteOffset, length } = proto.rawData;
      if (length === 0 || shared(buffer, byteOffset)) continue;
      alignRawData(proto);
      names.add(name);
    }
  }
  return (graph, name) => own.get(graph)?.has(name) === true;
}

/** Whether what begins at a place of a buffer has bytes in common with another tensor. */
function sharingBytes(tensors: readonly TensorProto[]): (buffer: ArrayBufferLike, start: number) => boolean {
  const ranges = tensors.map(({ rawData: { buffer, byteOffset: start, length } }) => ({
    buffer,
    start,
    end: start + length,
  }));
  ranges.sort((a, b) => a.start - b.start || a.end - b.end);
  const shared = new Map<ArrayBufferLike, Set<number>>();
  /** Of each buffer the range that reaches farthest so far. */
  const farthest = new Map<ArrayBufferLike, { readonly start: number; readonly end: number }>();
  for (const { buffer, start, end } of ranges) {
    if (end === start) continue;
    const before = farthest.get(buffer);
    if (before !== undefined && start < before.end) {
      const starts = shared.get(buffer) ?? new Set<number>();
      shared.set(buffer, starts.add(start).add(before.start));
    }
    if (before === undefined || end > before.end) farthest.set(buffer, { start, end });
  }
  return (buffer, start) => shared.get(buffer)?.has(start) === true;
}
