import type { NodeProto } from "@nasty/formats/onnx";
import { type Graph, type ModelGraph, unsafePairs } from "@nasty/graph";
import { isScaledLookup, type QdqRole, qdqRole, weightKind } from "./classify-qdq.js";
import {
  floatWeightInputs,
  isOp,
  isQuantizedEmbedding,
  isQuantizedKernel,
  type KernelClass,
} from "./kernel-classes.js";

export interface KernelCount {
  readonly op: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  readonly class: KernelClass;
  readonly count: number;
}

/** A node that costs time, and why. */
export interface AuditedNode {
  /** The node's name, or its first output where it has none; `graph/` in front for a subgraph. */
  readonly node: string;
  readonly op: string;
  readonly reason: string;
}

/** What the runtime executes, in numbers. */
export interface Audit {
  /** Matrix kernels that multiply integers. */
  readonly quantizedKernels: number;
  /** Float matrix kernels that have constant weights, so could have been quantized. */
  readonly floatMatMuls: number;
  /** QuantizeLinear and DequantizeLinear around operators that compute in float. */
  readonly strayQdq: number;
  /** Lookups in quantized tables: GatherBlockQuantized, or Gather with its DequantizeLinear or its Cast and Mul. */
  readonly quantizedEmbeddings: number;
  /** Every matrix kernel and quantized lookup by operator, most frequent first. */
  readonly kernels: readonly KernelCount[];
  readonly floatKernels: readonly AuditedNode[];
  readonly strays: readonly AuditedNode[];
  /** How many Q/DQ nodes are there for which purpose, the stray ones included. */
  readonly qdqRoles: Readonly<Record<QdqRole, number>>;
  /**
   * Pairs of neighbouring int8 weights that overflow 16-bit sums on processors without int8 dot products, for some
   * activations; 0 in a file that computes the same integers everywhere, null where the weights could not be read
   * (files over 2 GB, external data).
   */
  readonly unsafePairs: number | null;
  /** Integer products with such weights, of how many. */
  readonly unsafeProducts: { readonly unsafe: number; readonly all: number } | null;
  /** Nodes of the optimized graph, subgraphs included. */
  readonly nodes: number;
  readonly warnings: readonly string[];
}

const nameOf = (graph: Graph, node: NodeProto): string => {
  const name = node.name || node.output[0] || node.opType;
  return graph.parent === undefined ? name : `${graph.path}/${name}`;
};

const floatReason = (node: NodeProto, kind: "float" | "dequantized"): string => {
  if (kind === "dequantized") {
    return "its weight is dequantized at each run: the activation has no QuantizeLinear, or the pair did not fuse";
  }
  // The runtime makes Gemm of a float MatMul and Add, and names it so; one of the file is another matter.
  if (isOp(node, "Gemm") && !node.name.endsWith("MatMulAddFusion"))
    return "Gemm has no dynamic kernel: it is quantized as MatMul and Add";
  if (node.opType === "Attention") {
    return "the file holds float attention that was fused before: quantize the unfused graph";
  }
  if (node.opType.includes("Conv"))
    return "its weight is float32: only static int8 has a fast kernel for it, and not for every shape";
  if (["LSTM", "GRU", "RNN"].includes(node.opType)) {
    return node.opType === "LSTM"
      ? "its weights are float32: DynamicQuantizeLSTM would be used for int8 ones"
      : `its weights are float32: the runtime has no quantized ${node.opType}`;
  }
  return "its weight is float32: it was not quantized";
};

const strayReason = (graph: Graph, node: NodeProto): string => {
  const users = [...new Set(graph.consumers(node.output[0] ?? "").map((use) => use.node.opType))];
  const from = graph.producer(node.input[0] ?? "")?.opType ?? "a graph input";
  return `between ${from} and ${users.length === 0 ? "a graph output" : users.join(", ")}, which have no quantized kernel here`;
};

/** Adds up kernels by operator, most frequent first, ties by name. */
const countKernels = (found: readonly { node: NodeProto; class: KernelClass }[]): KernelCount[] => {
  const counts = new Map<string, { op: string; domain: string; class: KernelClass; count: number }>();
  for (const { node, class: kernelClass } of found) {
    const domain = node.domain === "ai.onnx" ? "" : node.domain;
    const id = `${domain}:${node.opType}:${kernelClass}`;
    const entry = counts.get(id) ?? { op: node.opType, domain, class: kernelClass, count: 0 };
    entry.count++;
    counts.set(id, entry);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count || (a.op < b.op ? -1 : 1));
};

/**
 * Counts what an optimized graph multiplies in integers, what in float although its weights are constant, and which
 * QuantizeLinear/DequantizeLinear nodes serve no kernel. Subgraphs (If, Loop, Scan bodies) are included.
 *
 * @param model the optimized graph, as the runtime wrote it
 */
export const auditGraph = (model: ModelGraph): Omit<Audit, "warnings" | "unsafePairs" | "unsafeProducts"> => {
  const kernels: { node: NodeProto; class: KernelClass }[] = [];
  const floatKernels: AuditedNode[] = [];
  const strays: AuditedNode[] = [];
  const qdqRoles: Record<QdqRole, number> = { entry: 0, exit: 0, weight: 0, embedding: 0, stray: 0 };
  let nodes = 0;
  for (const graph of model.main.allGraphs()) {
    for (const node of graph.nodes) {
      nodes++;
      const role = qdqRole(graph, node);
      if (role !== undefined) qdqRoles[role]++;
      if (role === "stray") {
        strays.push({ node: nameOf(graph, node), op: node.opType, reason: strayReason(graph, node) });
      }
      if (isQuantizedKernel(node)) kernels.push({ node, class: "quantized" });
      if (isQuantizedEmbedding(node) || isScaledLookup(graph, node)) {
        kernels.push({ node, class: "quantized-embedding" });
      }
      const weights = floatWeightInputs(node)?.map((index) => weightKind(graph, node.input[index] ?? ""));
      const kind = weights?.find((found) => found !== undefined);
      if (weights !== undefined) kernels.push({ node, class: "float" });
      if (kind !== undefined) {
        floatKernels.push({ node: nameOf(graph, node), op: node.opType, reason: floatReason(node, kind) });
      }
    }
  }
  const count = (kernelClass: KernelClass): number =>
    kernels.filter((kernel) => kernel.class === kernelClass).length;
  return {
    quantizedKernels: count("quantized"),
    floatMatMuls: floatKernels.length,
    strayQdq: strays.length,
    quantizedEmbeddings: count("quantized-embedding") + qdqRoles.embedding,
    kernels: countKernels(kernels),
    floatKernels,
    strays,
    qdqRoles,
    nodes,
  };
};

/** Counts the unsafe pairs of a file's own graph, whose weights are those that were written. */
export const auditPairs = (source: ModelGraph | undefined): Pick<Audit, "unsafePairs" | "unsafeProducts"> => {
  const rows = source === undefined || hasUnreadWeights(source) ? undefined : unsafePairs(source);
  if (rows === undefined) return { unsafePairs: null, unsafeProducts: null };
  return {
    unsafePairs: rows.reduce((sum, { unsafe }) => sum + unsafe, 0),
    unsafeProducts: { unsafe: rows.filter(({ unsafe }) => unsafe > 0).length, all: rows.length },
  };
};

const hasUnreadWeights = (source: ModelGraph): boolean =>
  source
    .allGraphs()
    .some(({ initializers }) =>
      [...initializers.values()].some(({ externalData }) => externalData.length > 0),
    );
