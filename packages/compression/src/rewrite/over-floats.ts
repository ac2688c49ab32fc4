import { type Graph, type ModelGraph, weightUsage } from "@nasty/graph";
import { takeOverBytes } from "../files/own-bytes.js";
import type { PlannedTensor } from "../plan/plan.js";
import type { QuantizedWeight, Room, WeightQuantizer } from "./weight-quantizer.js";

/**
 * A quantizer whose integers lie where the floats were that they are made of: at the beginning of their bytes.
 *
 * Weights that several inputs read, that share their bytes, or that stand in nodes get arrays of their own: a float may
 * be needed again.
 *
 * @param model is to be thrown away: floats that a step still wants to read must not be among the planned ones
 */
export function overFloats(model: ModelGraph, quantize: WeightQuantizer): WeightQuantizer {
  const graphs = new Map(model.allGraphs().map((graph) => [graph.path, graph]));
  const isOwn = takeOverBytes(model);
  const room = growingRoom();
  const bytesOf = ({ graph: path, name }: PlannedTensor): Uint8Array | undefined => {
    const owner: Graph | undefined = graphs.get(path);
    if (owner === undefined || !isOwn(owner, name) || weightUsage(owner, name).shared) return undefined;
    return owner.initializers.get(name)?.rawData;
  };
  return (planned, read, fit) => {
    const bytes = bytesOf(planned);
    if (bytes === undefined) return quantize(planned, read, fit);
    const weight = quantize(planned, read, fit, room);
    return { ...weight, data: laidOver(bytes, weight.data) };
  };
}

/** One array for all: as large as the largest weight so far. */
function growingRoom(): Room {
  let room = new Int8Array(0);
  return (length) => {
    if (room.length < length) room = new Int8Array(length);
    return room;
  };
}

function laidOver(bytes: Uint8Array, data: QuantizedWeight["data"]): QuantizedWeight["data"] {
  const { buffer, byteOffset } = bytes;
  const over =
    data instanceof Int8Array
      ? new Int8Array(buffer, byteOffset, data.length)
      : new Uint8Array(buffer, byteOffset, data.length);
  over.set(data);
  return over;
}
