import type { Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";

/** What the patterns look for in a graph. */
interface View {
  readonly producers: ReadonlyMap<string, NodeProto>;
  readonly readers: ReadonlyMap<string, readonly NodeProto[]>;
  readonly outputs: ReadonlySet<string>;
  readonly constantOf: (name: string) => Tensor | undefined;
}

/** Nodes that one node takes the place of. */
interface Replacement {
  readonly gone: readonly NodeProto[];
  readonly node: NodeProto;
}

const isOperator = (node: NodeProto | undefined, opType: string): node is NodeProto =>
  node !== undefined && node.opType === opType && (node.domain === "" || node.domain === "ai.onnx");

const firstOutput = (node: NodeProto): string => node.output[0] ?? "";

/** The one node that reads a value; undefined if others do too, or the caller does. */
const onlyReader = ({ readers, outputs }: View, name: string): NodeProto | undefined => {
  const found = readers.get(name) ?? [];
  return found.length === 1 && !outputs.has(name) ? found[0] : undefined;
};

/** The input of a node of two that is not the one given. */
const otherInput = (node: NodeProto, name: string): string =>
  (node.input[0] === name ? node.input[1] : node.input[0]) ?? "";

/** The product with a bias of its columns, if that is all that happens to it. */
const withBias = (
  view: View,
  product: string,
  columns: number,
): { add: NodeProto; bias: string } | undefined => {
  const add = onlyReader(view, product);
  if (!isOperator(add, "Add")) return undefined;
  const bias = otherInput(add, product);
  const value = view.constantOf(bias);
  return value?.dtype === "float32" && value.shape.length === 1 && value.shape[0] === columns
    ? { add, bias }
    : undefined;
};

interface Product {
  readonly a: string;
  readonly weight: string;
  readonly zeroPoint: string;
  readonly weightZeroPoint: string;
  readonly scale: string;
  readonly weightScale: string;
}

/** One node for a product of integers and what makes floats of it. */
const fusedProduct = (
  view: View,
  { a, weight, zeroPoint, weightZeroPoint, scale, weightScale }: Product,
  gone: readonly NodeProto[],
): Replacement => {
  const last = gone.at(-1) as NodeProto;
  const columns = view.constantOf(weight)?.shape[1] as number;
  const biased = withBias(view, firstOutput(last), columns);
  const output = firstOutput(biased?.add ?? last);
  const inputs = [a, weight, zeroPoint, weightZeroPoint, scale, weightScale, biased?.bias ?? ""];
  return {
    gone: biased === undefined ? gone : [...gone, biased.add],
    node: productNode(inputs, output, (gone[0] as NodeProto).name),
  };
};

/** Not made by the library of protocol buffers, which is half of the code where an engine is carried alone. */
const productNode = (input: string[], output: string, name: string): NodeProto => ({
  $typeName: "onnx.NodeProto",
  input,
  output: [output],
  name,
  opType: "IntegerProduct",
  domain: "nasty",
  overload: "",
  docString: "",
  attribute: [],
  metadataProps: [],
  deviceConfigurations: [],
});

const isVector = (tensor: Tensor | undefined, columns: number): boolean =>
  tensor?.dtype === "float32" &&
  (tensor.data.length === 1 || (tensor.shape.at(-1) === columns && tensor.data.length === columns));

/** MatMulInteger → Cast → Mul by (scale of a · scales of the weight) → Add of a bias. */
const dynamicProduct = (node: NodeProto, view: View): Replacement | undefined => {
  if (!isOperator(node, "MatMulInteger")) return undefined;
  const [a = "", weight = "", zeroPoint = "", weightZeroPoint = ""] = node.input;
  const matrix = view.constantOf(weight);
  const cast = onlyReader(view, firstOutput(node));
  if (matrix?.shape.length !== 2 || !isOperator(cast, "Cast") || cast.attribute[0]?.i !== 1n)
    return undefined;
  if (weightZeroPoint !== "" && view.constantOf(weightZeroPoint) === undefined) return undefined;
  const multiply = onlyReader(view, firstOutput(cast));
  if (!isOperator(multiply, "Mul")) return undefined;
  const scales = view.producers.get(otherInput(multiply, firstOutput(cast)));
  if (!isOperator(scales, "Mul") || onlyReader(view, firstOutput(scales)) !== multiply) return undefined;
  const weightScale = scales.input.find((name) => view.constantOf(name) !== undefined) ?? "";
  const scale = otherInput(scales, weightScale);
  const quantize = view.producers.get(a);
  const isOwnScale = isOperator(quantize, "DynamicQuantizeLinear") && quantize.output[1] === scale;
  if (!isOwnScale || quantize.output[2] !== zeroPoint) return undefined;
  if (!isVector(view.constantOf(weightScale), matrix.shape[1] as number)) return undefined;
  return fusedProduct(view, { a, weight, zeroPoint, weightZeroPoint, scale, weightScale }, [
    node,
    scales,
    cast,
    multiply,
  ]);
};

const isOne = (tensor: Tensor | undefined): boolean =>
  tensor?.dtype === "float32" && tensor.data.length === 1;

/** MatMul of two DequantizeLinear, the second of a weight → Add of a bias. */
const staticProduct = (node: NodeProto, view: View): Replacement | undefined => {
  if (!isOperator(node, "MatMul")) return undefined;
  const [left, right] = node.input.map((name) => view.producers.get(name));
  if (!isOperator(left, "DequantizeLinear") || !isOperator(right, "DequantizeLinear")) return undefined;
  const [a = "", scale = "", zeroPoint = ""] = left.input;
  const [weight = "", weightScale = "", weightZeroPoint = ""] = right.input;
  const matrix = view.constantOf(weight);
  const isWeight =
    matrix?.shape.length === 2 &&
    (matrix.dtype === "int8" || matrix.dtype === "uint8") &&
    (weightZeroPoint === "" || view.constantOf(weightZeroPoint) !== undefined);
  if (!isWeight || !isVector(view.constantOf(weightScale), matrix.shape[1] as number)) return undefined;
  const axis = right.attribute.find(({ name }) => name === "axis")?.i ?? 1n;
  const isByColumn = axis === 1n || axis === -1n || view.constantOf(weightScale)?.data.length === 1;
  const quantize = view.producers.get(a);
  const isEightBits =
    isOperator(quantize, "QuantizeLinear") &&
    quantize.input[1] === scale &&
    (quantize.input[2] ?? "") === zeroPoint &&
    ["int8", "uint8"].includes(view.constantOf(zeroPoint)?.dtype ?? "");
  const others = [left, right].flatMap((one) => one.attribute).filter(({ name }) => name !== "axis");
  if (!isByColumn || !isEightBits || !isOne(view.constantOf(scale)) || others.length > 0) return undefined;
  const product: Product = { a, weight, zeroPoint, weightZeroPoint, scale, weightScale };
  return fusedProduct(view, product, [node]);
};

const viewOf = (
  nodes: readonly NodeProto[],
  outputs: ReadonlySet<string>,
  constantOf: View["constantOf"],
): View => {
  const producers = new Map<string, NodeProto>();
  const readers = new Map<string, NodeProto[]>();
  for (const node of nodes) {
    for (const name of node.output) producers.set(name, node);
    for (const name of node.input) {
      const found = readers.get(name);
      if (found === undefined) readers.set(name, [node]);
      else found.push(node);
    }
  }
  return { producers, readers, outputs, constantOf };
};

/**
 * Makes one node of a product of integers and what turns its sums to floats, and leaves out what nothing reads.
 *
 * The arithmetic stays what the nodes say, or, for products of dequantized values, what ONNX Runtime makes of them:
 * exact sums of integers in place of sums of floats.
 *
 * @param nodes in the order of their results
 * @param outputs names that the caller may ask for
 */
export const fuse = (
  nodes: readonly NodeProto[],
  outputs: ReadonlySet<string>,
  constantOf: (name: string) => Tensor | undefined,
): readonly NodeProto[] => {
  const view = viewOf(nodes, outputs, constantOf);
  const gone = new Set<NodeProto>();
  const instead = new Map<NodeProto, NodeProto>();
  for (const node of nodes) {
    const replacement = dynamicProduct(node, view) ?? staticProduct(node, view);
    if (replacement === undefined) continue;
    for (const one of replacement.gone) gone.add(one);
    // The node stands where the last of the old ones stood: all that it reads is computed by then.
    instead.set(replacement.gone.at(-1) as NodeProto, replacement.node);
  }
  const fused = nodes.flatMap((node) => instead.get(node) ?? (gone.has(node) ? [] : [node]));
  return withoutUnread(fused, outputs);
};

const withoutUnread = (nodes: readonly NodeProto[], outputs: ReadonlySet<string>): readonly NodeProto[] => {
  const read = new Set(outputs);
  const kept: NodeProto[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.output.some((name) => read.has(name))) continue;
    kept.push(node);
    for (const name of node.input) read.add(name);
  }
  return kept.reverse();
};
