import { transposeMatrix } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { type Graph, inferShapes } from "@nasty/graph";
import { openForCompression } from "../files/open-for-compression.js";
import { type OwnBytes, takeOverBytes } from "../files/own-bytes.js";
import type { WeightOptions } from "../plan/plan-weights.js";
import { findAttention } from "../pruning/find-attention.js";
import { findFeedForward } from "../pruning/find-feed-forward.js";
import { type AxisOfInput, sliceConstant, sliceLast } from "../pruning/slice.js";
import { isMismatch, type Projection, type TypedGraph } from "../pruning/trace.js";
import { findRecurrentUnits, orderUnits, unitRows } from "./recurrent-units.js";
import { complementaryOrder } from "./complementary-order.js";
import { reorderWhereItLies } from "./reorder-bytes.js";

/** A model that computes the same in float, and how many layers have their hidden units in another order. */
export interface PairedUnits {
  readonly model: ModelProto;
  readonly layers: number;
}

export interface PairUnitsOptions {
  /**
   * Write the ordered weights over the given model's own bytes, and so take no memory beside them but for one weight at
   * a time: for callers who read the file themselves and have no other use for it. Default false.
   */
  readonly inPlace?: boolean;
}

/**
 * Orders hidden units so that neighbours make safe pairs at little cost: neurons of feed-forward layers, values within
 * attention heads, units of LSTMs.
 *
 * Nothing but the order of columns of one weight and of rows of the next changes, so the float model computes what it
 * computed (sums are in another order). Safe pairs cost a weight about 2.5 dB of its signal-to-noise ratio; of the
 * weights that read such units, about 0.5 is left. Do it before calibrating and planning. Layers in other forms (one
 * product for query, key and value, shared weights, Gemm) keep their order.
 *
 * @param model an unfused float32 graph; not changed unless asked for
 * @example
 * const { model: paired } = pairUnits(model);
 * const quantized = dynamic.apply(paired, dynamic.plan(paired)).model;
 */
export function pairUnits(model: ModelProto, { inPlace = false }: PairUnitsOptions = {}): PairedUnits {
  const opened = openForCompression(model);
  const own = inPlace ? takeOverBytes(opened) : () => false;
  const settle = inPlace ? overwriting(opened.main, own) : () => {};
  const typed: TypedGraph = { graph: opened.main, types: inferShapes(opened) };
  const reorder = (place: AxisOfInput, order: readonly number[]): void => {
    const isOwn = own(typed.graph, place.node.input[place.index] ?? "");
    if (!isOwn || !reorderWhereItLies(typed.graph, place, order)) sliceConstant(typed.graph, place, order);
  };
  const orderOf = orders();
  let layers = 0;
  for (const { found } of findFeedForward(typed)) {
    if (isMismatch(found)) continue;
    const order = orderOf(found.down);
    for (const { matMul } of found.ups) reorder({ node: matMul, index: 1, axis: 1 }, order);
    for (const place of found.perNeuron) sliceLast(typed.graph, place, order.length, order);
    reorder({ node: found.down.matMul, index: 1, axis: 0 }, order);
    settle();
    layers += 1;
  }
  for (const { found } of findAttention(typed)) {
    // Of an odd number of values a head some pair would belong to two heads.
    if (isMismatch(found) || found.width % 2 === 1 || found.perHead.some(({ width }) => width > 1)) continue;
    const [, , { matMul, bias, outputs }] = found.projections;
    const order = orderOf(found.output, found.width);
    reorder({ node: matMul, index: 1, axis: 1 }, order);
    if (bias !== undefined) sliceLast(typed.graph, bias, outputs, order);
    reorder({ node: found.output.matMul, index: 1, axis: 0 }, order);
    settle();
    layers += 1;
  }
  for (const units of findRecurrentUnits(typed)) {
    // Of an odd number of units a second direction's pairs would not be where they were put.
    if (units.hidden % 2 === 1) continue;
    const orders = Array.from({ length: units.directions }, (_, direction) =>
      complementaryOrder(unitRows(typed, units, direction)),
    );
    orderUnits(typed, units, orders);
    settle();
    layers += 1;
  }
  return layers === 0 ? { model, layers } : { model: opened.toModel(), layers };
}

/** Moves the new values of initializers into the bytes that the old ones had, whenever it is called. */
function overwriting(graph: Graph, isOwn: OwnBytes): () => void {
  const own = [...graph.initializers].filter(([name]) => isOwn(graph, name));
  const bytes = new Map(own.map(([name, { rawData }]) => [name, rawData]));
  return () => {
    for (const [name, proto] of graph.initializers) {
      const own = bytes.get(name);
      if (own === undefined || own === proto.rawData || own.length !== proto.rawData.length) continue;
      own.set(proto.rawData);
      proto.rawData = own;
    }
  };
}

/** Finds orders one after the other; the copy of a weight that this takes is made in the same place each time. */
function orders(): (projection: Projection, blockSize?: number) => number[] {
  let room = new Float32Array(0);
  return ({ weight, inputs, outputs }, blockSize) => {
    const data = weight.tensor.data as Float32Array;
    if (room.length < data.length) room = new Float32Array(data.length);
    const values = room.subarray(0, data.length);
    if (weight.perm?.[0] === 1) transposeMatrix(data, outputs, inputs, values);
    else values.set(data);
    return complementaryOrder({ rows: inputs, columns: outputs, values }, blockSize);
  };
}

/**
 * {@link pairUnits} where int8 weights will be quantized as safe pairs: with full pairs, or 7-bit weights, the model is
 * as it was.
 *
 * @example const { model: paired } = pairedFor(model, { pairs: "safe" });
 */
export function pairedFor(
  model: ModelProto,
  { pairs = "safe", reduceRange = false }: Pick<WeightOptions, "pairs" | "reduceRange">,
  options: PairUnitsOptions = {},
): PairedUnits {
  return pairs === "safe" && !reduceRange ? pairUnits(model, options) : { model, layers: 0 };
}
