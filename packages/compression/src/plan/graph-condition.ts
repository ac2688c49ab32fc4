import type { NodeProto } from "@nasty/formats/onnx";
import { type Graph, isFused, isQuantized } from "@nasty/graph";
import { CompressionError } from "../compression-error.js";
import type { QuantizableOp } from "./plan.js";

/** Whether a node looks rows up in a table of 8-bit integers, as dynamic and static files store embeddings. */
function isQuantizedLookup(graph: Graph, node: NodeProto): boolean {
  if (node.opType !== "Gather") return false;
  const table = graph.scopeOf(node.input[0] ?? "")?.constant(node.input[0] ?? "");
  return table?.shape.length === 2 && (table.dtype === "int8" || table.dtype === "uint8");
}

/** What earlier tools did to a graph, in counts by operator. */
export interface GraphCondition {
  readonly quantized: ReadonlyMap<string, number>;
  readonly fused: ReadonlyMap<string, number>;
}

/** Counts quantized and fused operators in a graph and in every subgraph. */
export function graphCondition(main: Graph): GraphCondition {
  const quantized = new Map<string, number>();
  const fused = new Map<string, number>();
  for (const graph of main.allGraphs()) {
    for (const node of graph.nodes) {
      if (isQuantized(node) || isQuantizedLookup(graph, node)) {
        quantized.set(node.opType, (quantized.get(node.opType) ?? 0) + 1);
      } else if (isFused(node)) {
        fused.set(node.opType, (fused.get(node.opType) ?? 0) + 1);
      }
    }
  }
  return { quantized, fused };
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([op, count]) => `${op} ×${count}`).join(", ");
}

/**
 * Operators with weights of their own, and what they are called once these are quantized: scales of other operators are
 * none of theirs.
 */
const separate: Readonly<Partial<Record<QuantizableOp, readonly string[]>>> = {
  LSTM: ["DynamicQuantizeLSTM"],
  Conv: ["ConvInteger", "QLinearConv"],
};

function isQuantizedWeight(graph: Graph, name: string): boolean {
  const producer = graph.producer(name);
  return producer?.opType === "DequantizeLinear" && graph.constant(producer.input[0] ?? "") !== undefined;
}

/** Whether only operators were asked for that nobody has quantized yet, whatever was done to others. */
function areUntouched(main: Graph, opTypes: readonly QuantizableOp[]): boolean {
  return main.allGraphs().every((graph) =>
    graph.nodes.every((node) => {
      if (opTypes.some((op) => separate[op]?.includes(node.opType))) return false;
      if (!opTypes.some((op) => op === node.opType)) return true;
      return !node.input.some((name) => isQuantizedWeight(graph, name));
    }),
  );
}

/**
 * Refuses a model that somebody quantized before: what is still float in it are scales, offsets, and weights that were
 * left so on purpose. LSTMs and convolutions that are still float can be quantized after all else, where only they are
 * asked for.
 *
 * @throws CompressionError `already-quantized` naming the operators
 */
export function refuseQuantized(
  operation: string,
  main: Graph,
  opTypes: readonly QuantizableOp[] = [],
): void {
  const { quantized } = graphCondition(main);
  if (quantized.size === 0) return;
  const isSeparate = opTypes.length > 0 && opTypes.every((op) => separate[op] !== undefined);
  if (isSeparate && areUntouched(main, opTypes)) return;
  throw new CompressionError(
    "already-quantized",
    `${operation}: model: weights: expected float32 weights, got a model that is quantized already (${[...quantized.keys()].join(", ")})`,
  );
}

/** The condition in sentences, for a plan's warnings. */
export function conditionWarnings({ fused }: GraphCondition): string[] {
  const warnings: string[] = [];
  if (fused.size > 0) {
    warnings.push(
      `the graph was optimized by a runtime before (${listed(fused)}): the weights of fused operators stay in float32; ` +
        "quantize the unfused export, the session fuses when it loads",
    );
  }
  return warnings;
}
