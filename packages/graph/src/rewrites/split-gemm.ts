import { cast, type DType, type Tensor } from "@nasty/core";
import { floatAttribute, intAttribute, type NodeProto } from "@nasty/formats/onnx";
import { transposeTensor } from "../folding/strided-copy.js";
import type { Graph } from "../graph.js";
import { inferShapes, type ValueTypes } from "../inference/infer-shapes.js";
import type { ModelGraph } from "../model-graph.js";
import { isStandard } from "../operators/traits.js";

export interface SplitGemmOptions {
  /** Which Gemm nodes to split; all of them if left out. */
  readonly only?: (node: NodeProto, graph: Graph) => boolean;
}

/** The nodes that took the place of one Gemm. */
export interface GemmSplit {
  readonly graph: Graph;
  /** Keeps the Gemm's name. */
  readonly matMul: NodeProto;
  readonly add: NodeProto | undefined;
}

/**
 * Replaces `Gemm` by `MatMul` and `Add`: Y = α·A′·B′ + β·C.
 *
 * A constant B is transposed (and scaled by α) once, however many Gemms share it; so is a constant C with β. Anything
 * else gets a Transpose or Mul node. C is broadcast by Add as Gemm broadcasts it. The result keeps its name, the MatMul
 * the node's name. Weights that nothing reads any more are removed.
 *
 * @returns the nodes made, in the order of the graphs.
 * @see ONNX 1.22, Gemm-13; ONNX Runtime 1.30 has quantized kernels for MatMul, none for Gemm in dynamic mode
 */
export function splitGemm(
  model: ModelGraph,
  { only = () => true }: SplitGemmOptions = {},
): readonly GemmSplit[] {
  const work: Work = { prepared: new Map(), model, typesBefore: undefined };
  const splits: GemmSplit[] = [];
  for (const graph of model.allGraphs()) {
    for (const node of graph.nodes) {
      const isGemm = node.opType === "Gemm" && isStandard(node);
      if (isGemm && only(node, graph)) splits.push(splitOne(graph, node, work));
    }
  }
  return splits;
}

/** Names of tensors made already, by the graph and name of their source and what was done to it. */
type Prepared = Map<Graph, Map<string, string>>;

interface Work {
  readonly prepared: Prepared;
  readonly model: ModelGraph;
  /** Types of the values, inferred when first needed: a factor on what is computed must have its type. */
  typesBefore: ValueTypes | undefined;
}

interface Preparation {
  readonly transposed: boolean;
  readonly factor: number;
}

const splitOne = (graph: Graph, node: NodeProto, work: Work): GemmSplit => {
  const { prepared } = work;
  const [a = "", b = "", c = ""] = node.input;
  const output = node.output[0] ?? "";
  const title = node.name === "" ? output : node.name;
  const alpha = floatAttribute(node, "alpha", 1);
  const beta = floatAttribute(node, "beta", 1);
  const before = { before: node };
  const insert = (opType: string, inputs: readonly string[], what: string, attributes = {}): string => {
    const made = graph.uniqueName(`${output}_${what}`);
    const name = graph.uniqueName(`${title}/${what}`);
    graph.addNode({ opType, name, inputs, outputs: [made], attributes }, before);
    return made;
  };
  const turned = (value: string, what: string): string =>
    insert("Transpose", [value], what, { perm: [1, 0] });
  const scaled = (value: string, factor: number, what: string): string => {
    const constant = scalar(factor, dtypeOf(graph, output, work));
    return insert("Mul", [value, graph.addInitializer(`${title}_factor`, constant)], what);
  };

  const transposeB = intAttribute(node, "transB", 0) !== 0;
  const weight = prepare(graph, b, { transposed: transposeB, factor: alpha }, prepared);
  const left = intAttribute(node, "transA", 0) === 0 ? a : turned(a, "transposed_a");
  const right = weight ?? (transposeB ? turned(b, "transposed_b") : b);
  const withBias = c !== "" && beta !== 0;
  const bias = withBias
    ? (prepare(graph, c, { transposed: false, factor: beta }, prepared) ?? scaled(c, beta, "scaled_c"))
    : undefined;

  const product = graph.uniqueName(`${output}_product`);
  const matMul = graph.addNode(
    { opType: "MatMul", name: title, inputs: [left, right], outputs: [product] },
    before,
  );
  let value = product;
  if (weight === undefined && alpha !== 1) value = scaled(product, alpha, "scaled_product");

  const freed = node.input;
  graph.removeNode(node);
  const last =
    bias === undefined
      ? undefined
      : graph.addNode(
          {
            opType: "Add",
            name: graph.uniqueName(`${title}/bias`),
            inputs: [value, bias],
            outputs: [output],
          },
          { after: graph.producer(value) ?? matMul },
        );
  if (last === undefined) graph.setOutput(graph.producer(value) ?? matMul, 0, output);
  for (const name of freed) removeIfUnused(graph, name);
  return { graph, matMul, add: last };
};

/** The name of a constant with its axes swapped and its values scaled, made once; undefined if it is not constant. */
const prepare = (
  graph: Graph,
  name: string,
  { transposed, factor }: Preparation,
  prepared: Prepared,
): string | undefined => {
  if (!transposed && factor === 1) return name;
  const owner = graph.scopeOf(name);
  const value = graph.constant(name);
  if (owner === undefined || value === undefined) return undefined;
  if (factor !== 1 && !value.dtype.includes("float")) return undefined;
  const known = prepared.get(owner) ?? new Map<string, string>();
  prepared.set(owner, known);
  const key = `${transposed ? "transposed" : "plain"}\n${factor}\n${name}`;
  const made = known.get(key);
  if (made !== undefined) return made;
  const turned = transposed ? transposeTensor(value, [1, 0]) : value;
  const suffix = `${transposed ? "_transposed" : ""}${factor === 1 ? "" : "_scaled"}`;
  const added = owner.addInitializer(
    `${name}${suffix}`,
    factor === 1 ? turned : scaledTensor(turned, factor),
  );
  known.set(key, added);
  return added;
};

const scaledTensor = (tensor: Tensor, factor: number): Tensor => {
  const data = cast(tensor, "float64").data.map((x) => x * factor);
  return cast({ dtype: "float64", shape: tensor.shape, data }, tensor.dtype);
};

const scalar = (factor: number, dtype: DType): Tensor =>
  cast({ dtype: "float64", shape: [], data: Float64Array.of(factor) }, dtype);

const dtypeOf = (graph: Graph, name: string, work: Work): DType => {
  work.typesBefore ??= inferShapes(work.model);
  return work.typesBefore.typeOf(graph, name)?.dtype ?? "float32";
};

const removeIfUnused = (graph: Graph, name: string): void => {
  const owner = graph.scopeOf(name);
  if (owner === undefined || graph.consumers(name).length > 0 || graph.isOutput(name)) return;
  if (owner.initializers.has(name) && !owner.isOverridable(name)) owner.removeInitializer(name);
  const maker = owner.producer(name);
  if (maker?.opType === "Constant") owner.removeNode(maker);
};
