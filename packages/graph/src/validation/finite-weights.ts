import { mayHaveFullExponent, type Tensor } from "@nasty/core";
import {
  dataTypeName,
  FormatError,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  tensorFromProto,
  type TensorProto,
  tensorsOf,
} from "@nasty/formats/onnx";
import { GraphError } from "../graph-error.js";

/** Operators all of whose constant operands of floating point are weights, their scales included. */
const weightOperators = new Set([
  "MatMul",
  "Gemm",
  "FusedMatMul",
  "MatMulNBits",
  "Conv",
  "ConvTranspose",
  "LSTM",
  "GRU",
  "RNN",
  "GatherBlockQuantized",
  "Einsum",
  "LayerNormalization",
  "SimplifiedLayerNormalization",
  "SkipLayerNormalization",
  "EmbedLayerNormalization",
  "BatchNormalization",
  "InstanceNormalization",
  "GroupNormalization",
  "Attention",
  "BiasGelu",
  "DequantizeLinear",
  "QuantizeLinear",
]);

/** Operators that hand a weight on to the one that reads it. */
const handingOn = new Set(["Identity", "Transpose", "Cast", "Reshape", "Unsqueeze", "Squeeze"]);

/** Where a value that is not finite stands. */
interface NonFinite {
  readonly index: number;
  readonly value: number;
}

/**
 * Refuses a model one of whose weights holds NaN or ±∞: whatever reads it gives nonsense without a word.
 *
 * Constants of attention masks and bounds hold infinities by design. They are told from weights by what reads them, and
 * by their values: besides the one that is not finite they hold nothing but zeros and ones.
 *
 * @param where the operation and the file, for messages
 * @throws GraphError `not-finite`, `fields.value` being the tensor
 * @example
 * ```ts
 * checkFiniteWeights(model, "openTagger: pos.onnx");
 * ```
 */
export function checkFiniteWeights(model: ModelProto, where: string): void {
  let weights: ReadonlySet<string | TensorProto> | undefined;
  for (const { tensor: proto, where: place } of tensorsOf(model)) {
    const exponents = exponentsOf(proto.dataType);
    if (exponents !== undefined && proto.rawData.length > 0 && !mayHaveFullExponent(proto.rawData, exponents))
      continue;
    const tensor = floatTensor(() => tensorFromProto(proto));
    const found = tensor && firstNonFinite(tensor);
    if (tensor === undefined || found === undefined) continue;
    // Looked up for damaged models only.
    weights ??= weightsOf(model);
    const isWeight = weights.has(proto) || (proto.name !== "" && weights.has(proto.name));
    if (!isWeight && isMaskOrBound(tensor, found.value)) continue;
    throw refuse(where, proto.name || place, found);
  }
}

/**
 * Refuses a checkpoint one of whose tensors holds NaN or ±∞.
 *
 * @param where the operation and the file, for messages
 * @throws GraphError `not-finite`
 */
export function checkFiniteTensors(tensors: ReadonlyMap<string, Tensor>, where: string): void {
  for (const [name, tensor] of tensors) {
    const found = firstNonFinite(tensor);
    if (found !== undefined) throw refuse(where, name, found);
  }
}

function refuse(where: string, name: string, { index, value }: NonFinite): GraphError {
  return new GraphError(
    "not-finite",
    `${where}: tensor ${JSON.stringify(name)}: element ${index}: expected a finite number, got ${value}; the file is damaged, or its training diverged: take a sound copy or train again`,
    { value: name },
  );
}

/** The bits of the exponent in each 32-bit word of a type's values. */
function exponentsOf(dataType: number): number | undefined {
  switch (dataTypeName(dataType)) {
    case "FLOAT":
      return 0x7f800000;
    case "FLOAT16":
      return 0x7c007c00;
    case "BFLOAT16":
      return 0x7f807f80;
    default:
      return undefined;
  }
}

/** Types that cannot be read hold no weights of floating point; what else is wrong is for others to say. */
function floatTensor(read: () => Tensor): Tensor | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** The first value whose exponent has all bits set; a loop over the stored words, whatever they are read as. */
function firstNonFinite({ dtype, data }: Tensor): NonFinite | undefined {
  switch (dtype) {
    case "float32": {
      const values = data as Float32Array;
      const index = firstWith(new Uint32Array(values.buffer, values.byteOffset, values.length), 0x7f800000);
      return index < 0 ? undefined : { index, value: values[index] as number };
    }
    case "float16":
    case "bfloat16": {
      const bits = data as Uint16Array;
      const exponent = dtype === "float16" ? 0x7c00 : 0x7f80;
      const index = firstWith(bits, exponent);
      return index < 0 ? undefined : { index, value: halfValue(bits[index] as number, exponent) };
    }
    case "float64": {
      const values = data as Float64Array;
      const index = values.findIndex((value) => !Number.isFinite(value));
      return index < 0 ? undefined : { index, value: values[index] as number };
    }
    default:
      return undefined;
  }
}

function firstWith(words: Uint32Array | Uint16Array, exponent: number): number {
  for (let i = 0; i < words.length; i++) if (((words[i] as number) & exponent) === exponent) return i;
  return -1;
}

function halfValue(bits: number, exponent: number): number {
  if ((bits & 0x7fff) !== exponent) return Number.NaN;
  return bits < 0x8000 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

/** Whether a constant holds one value that is not finite, zeros and ones, and nothing else. */
function isMaskOrBound({ dtype, data }: Tensor, value: number): boolean {
  const [nonFinite, one] = bitsOf(dtype, value);
  const words =
    dtype === "float32" ? new Uint32Array(data.buffer, data.byteOffset, data.length) : (data as Uint16Array);
  if (nonFinite === undefined) return false;
  for (const word of words) if (word !== nonFinite && word !== 0 && word !== one) return false;
  return true;
}

/** The stored words of ±∞ and of 1; none for NaN, of which no mask is made. */
function bitsOf(dtype: Tensor["dtype"], value: number): readonly [number | undefined, number] {
  if (Number.isNaN(value) || dtype === "float64") return [undefined, 0];
  const isNegative = value < 0;
  switch (dtype) {
    case "float32":
      return [isNegative ? 0xff800000 : 0x7f800000, 0x3f800000];
    case "float16":
      return [isNegative ? 0xfc00 : 0x7c00, 0x3c00];
    default:
      return [isNegative ? 0xff80 : 0x7f80, 0x3f80];
  }
}

/** What weight operators read: names of initializers, and the tensors of Constant nodes, which need have no name. */
function weightsOf(model: ModelProto): ReadonlySet<string | TensorProto> {
  const vectors = new Set<string>();
  for (const { tensor } of tensorsOf(model)) if (tensor.dims.length === 1) vectors.add(tensor.name);
  const weights = new Set<string | TensorProto>();
  const products = new Set<string>();
  for (const { opType, input, output } of nodesOf(model.graph)) {
    const isWeightOperator = weightOperators.has(opType);
    // A vector that is added to a product is its bias; masks of attention have more axes.
    const isBiased = opType === "Add" && input.some((name) => products.has(name));
    for (const name of input) if (isWeightOperator || (isBiased && vectors.has(name))) weights.add(name);
    if (isWeightOperator) for (const name of output) products.add(name);
  }
  // Readers come after what they read: backwards, one pass follows every chain.
  for (const { opType, input, output, attribute } of [...nodesOf(model.graph)].toReversed()) {
    if (!weights.has(output[0] ?? "")) continue;
    if (handingOn.has(opType)) weights.add(input[0] ?? "");
    if (opType === "Constant") for (const { t } of attribute) if (t !== undefined) weights.add(t);
  }
  return weights;
}

function* nodesOf(graph: GraphProto | undefined): Generator<NodeProto> {
  for (const node of graph?.node ?? []) {
    for (const { g, graphs } of node.attribute) {
      yield* nodesOf(g);
      for (const one of graphs) yield* nodesOf(one);
    }
    yield node;
  }
}
