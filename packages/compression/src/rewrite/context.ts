import { tensor, type Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import type { Graph, ModelGraph, NodePosition } from "@nasty/graph";
import { CompressionError } from "../compression-error.js";
import type { MatrixProduct } from "../plan/matrix-product.js";
import type { PlannedActivation, PlannedTensor } from "../plan/plan.js";
import { transposeBytes } from "./transpose-matrix.js";
import type { QuantizedWeight } from "./weight-quantizer.js";

/** A quantized weight and the initializers that were made of it so far. */
export interface StoredWeight {
  readonly planned: PlannedTensor;
  readonly owner: Graph;
  readonly weight: QuantizedWeight;
  /** Names of initializers by what they hold. */
  readonly names: Map<string, string>;
}

/** A quantized activation: names of its integers, scale and zero point. */
export interface QuantizedInput {
  readonly value: string;
  readonly scale: string;
  readonly zeroPoint: string;
}

/** An activation that was rounded to planned integers: `value` is float again. */
export interface StaticInput extends QuantizedInput {
  readonly integers: string;
}

/** What the rewrites of one model share. */
export interface RewriteContext {
  readonly model: ModelGraph;
  /** Opset of the standard operators. */
  readonly opset: number;
  /** Inputs quantized so far, by graph path and name. */
  readonly inputs: Map<string, QuantizedInput>;
  readonly staticInputs: Map<string, StaticInput>;
  readonly activations: ReadonlyMap<string, PlannedActivation>;
  /** What kernels of block-wise weights may round activations to (MatMulNBits' attribute). */
  readonly accuracyLevel: number;
  /** Whether a node of the original graph becomes an integer one, by the output that the plan names it by. */
  readonly isPlanned: (graph: Graph, node: NodeProto) => boolean;
  /** Rank of a value of the original graph, where it is known. */
  readonly rankOf: (graph: Graph, name: string) => number | undefined;
}

function lazily(stored: StoredWeight, key: string, suffix: string, make: () => Tensor): string {
  const known = stored.names.get(key);
  if (known !== undefined) {
    return known;
  }
  const name = stored.owner.addInitializer(`${stored.planned.name}_${suffix}`, make());
  stored.names.set(key, name);
  return name;
}

function integers(stored: StoredWeight, shape: readonly number[], data: Int8Array | Uint8Array): Tensor {
  return stored.planned.dtype === "uint8"
    ? tensor("uint8", shape, data as Uint8Array)
    : tensor("int8", shape, data as Int8Array);
}

/** The integers in the original layout. */
export function plainIntegers(stored: StoredWeight): string {
  const { planned, weight } = stored;
  return lazily(stored, "plain", "q", () => integers(stored, planned.shape, weight.data));
}

/**
 * The integers of a matrix as [K, N], the layout that matrix kernels read.
 *
 * A table that is also gathered from is stored once, in its own layout, and transposed by a node, which the runtime
 * folds when it loads the model; every other weight is stored as its kernel wants it.
 */
export function matrixIntegers(
  stored: StoredWeight,
  transposed: boolean,
  graph: Graph,
  before: NodeProto,
): string {
  if (!transposed) {
    return plainIntegers(stored);
  }
  const { planned, weight } = stored;
  const [rows = 0, columns = 0] = planned.shape;
  if (!stored.names.has("plain") && planned.sites.every(({ form }) => form !== "Gather")) {
    return lazily(stored, "transposed", "q", () =>
      integers(stored, [columns, rows], transposeBytes(weight.data, 1, rows, columns)),
    );
  }
  const output = graph.uniqueName(`${planned.name}_qt`);
  graph.addNode(
    {
      opType: "Transpose",
      name: "",
      inputs: [plainIntegers(stored)],
      outputs: [output],
      attributes: { perm: [1n, 0n] },
    },
    { before },
  );
  return output;
}

/** Scales, times a factor: one scalar or a vector over the channels. */
export function scales(stored: StoredWeight, factor = 1): string {
  const { planned, weight } = stored;
  return lazily(stored, `scale ${factor}`, "scale", () => {
    const data = factor === 1 ? weight.scale : weight.scale.map((scale) => scale * factor);
    return tensor("float32", planned.granularity.kind === "per-tensor" ? [] : [data.length], data);
  });
}

/** Zero points of the weight's type, or undefined when all are 0, which kernels assume. */
export function zeroPoints(stored: StoredWeight, always = false): string | undefined {
  const { planned, weight } = stored;
  if (!always && weight.zeroPoint.every((zeroPoint) => zeroPoint === 0)) {
    return undefined;
  }
  return lazily(stored, "zero point", "zp", () => {
    const data =
      planned.dtype === "uint8" ? Uint8Array.from(weight.zeroPoint) : Int8Array.from(weight.zeroPoint);
    return integers(stored, planned.granularity.kind === "per-tensor" ? [] : [data.length], data);
  });
}

/** Any other constant that belongs to the weight. */
export function ownConstant(stored: StoredWeight, key: string, suffix: string, make: () => Tensor): string {
  return lazily(stored, key, suffix, make);
}

/**
 * Quantizes an activation as it comes, once for all who read it in the same graph.
 *
 * @param before the first reader: the new node goes in front of it
 */
export function dynamicInput(
  context: RewriteContext,
  graph: Graph,
  name: string,
  before: NodeProto,
): QuantizedInput {
  const key = `${graph.path}\0${name}`;
  const known = context.inputs.get(key);
  if (known !== undefined) {
    return known;
  }
  const value = graph.uniqueName(`${name}_q`);
  const scale = graph.uniqueName(`${name}_s`);
  const zeroPoint = graph.uniqueName(`${name}_z`);
  graph.addNode(
    { opType: "DynamicQuantizeLinear", name: "", inputs: [name], outputs: [value, scale, zeroPoint] },
    { before },
  );
  const made = { value, scale, zeroPoint };
  context.inputs.set(key, made);
  return made;
}

/** Per-axis QuantizeLinear came with opset 13; older graphs use the runtime's own operators of the same meaning. */
export function qdqDomain(context: RewriteContext): string {
  if (context.opset >= 13) {
    return "";
  }
  context.model.setOpset("com.microsoft", 1);
  return "com.microsoft";
}

/**
 * How an activation is planned to be rounded.
 *
 * @throws CompressionError `missing-range`
 */
export function plannedActivation(
  { activations }: Pick<RewriteContext, "activations">,
  { path }: Graph,
  name: string,
): PlannedActivation {
  const planned = activations.get(`${path}\0${name}`);
  if (planned !== undefined) return planned;
  throw new CompressionError(
    "missing-range",
    `int8.apply: activation ${JSON.stringify(name)}: range: expected one in the plan, got none`,
    { tensor: name },
  );
}

/** Where in a graph a value is rounded to 8 bits and back. */
interface Rounding {
  /** The float value. */
  readonly from: string;
  /** What the new names begin with. */
  readonly prefix: string;
  /** Name of the rounded value. */
  readonly to: string;
  readonly position: NodePosition;
}

function addRounding(
  context: RewriteContext,
  graph: Graph,
  { dtype, scale: step, zeroPoint: zero }: PlannedActivation,
  { from, prefix, to, position }: Rounding,
): StaticInput {
  const scale = graph.addInitializer(`${prefix}_s`, tensor("float32", [], Float32Array.of(step)));
  const zeroPoint = graph.addInitializer(
    `${prefix}_z`,
    dtype === "uint8" ? tensor("uint8", [], Uint8Array.of(zero)) : tensor("int8", [], Int8Array.of(zero)),
  );
  const integers = graph.uniqueName(`${prefix}_q`);
  const domain = qdqDomain(context);
  const quantize = graph.addNode(
    { opType: "QuantizeLinear", domain, name: "", inputs: [from, scale, zeroPoint], outputs: [integers] },
    position,
  );
  graph.addNode(
    { opType: "DequantizeLinear", domain, name: "", inputs: [integers, scale, zeroPoint], outputs: [to] },
    { after: quantize },
  );
  return { value: to, integers, scale, zeroPoint };
}

/**
 * Rounds an activation to its planned scale and back, once for all who read it in the same graph.
 *
 * @returns the names of the rounded activation, and of what it was made of
 */
export function staticInput(
  context: RewriteContext,
  { graph, activation: name, source, node }: Pick<MatrixProduct, "graph" | "activation" | "source" | "node">,
): StaticInput {
  const key = `${graph.path}\0${name}`;
  const known = context.staticInputs.get(key);
  if (known !== undefined) {
    return known;
  }
  const made = addRounding(context, graph, plannedActivation(context, graph, source), {
    from: name,
    prefix: name,
    to: graph.uniqueName(`${name}_dq`),
    position: { before: node },
  });
  context.staticInputs.set(key, made);
  return made;
}

/**
 * Rounds what a node makes, for all who read it: they see the rounded value under its old name.
 *
 * @param made what `maker` calls the value now
 */
export function staticOutput(
  context: RewriteContext,
  graph: Graph,
  { made, result, maker }: { readonly made: string; readonly result: string; readonly maker: NodeProto },
): void {
  const rounded = addRounding(context, graph, plannedActivation(context, graph, result), {
    from: made,
    prefix: result,
    to: result,
    position: { after: maker },
  });
  context.staticInputs.set(`${graph.path}\0${result}`, rounded);
}
