import { create } from "@bufbuild/protobuf";
import { type DType, dataConstructor, elementCount, packInt4 } from "@nasty/core";
import { FormatError } from "../format-error.js";
import { dataTypeOf } from "./data-type.js";
import {
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./gen/onnx_pb.js";
import { type AttributeValue, makeAttribute } from "./make-attribute.js";
import { tensorToProto } from "./tensor-to-proto.js";

/** What a node has beside operator, inputs and outputs. */
export interface NodeOptions {
  readonly name?: string;
  /** Domain of the operator; the default one ("ai.onnx") unless given. */
  readonly domain?: string;
  /** Values by attribute name; undefined ones are left out. */
  readonly attributes?: Readonly<Record<string, AttributeValue | undefined>>;
}

/** Parts of a graph. */
export interface GraphOptions {
  readonly nodes: readonly NodeProto[];
  readonly inputs?: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly initializers?: readonly TensorProto[];
  readonly valueInfo?: readonly ValueInfoProto[];
}

/** What a model has beside its graph. */
export interface ModelOptions {
  /** Operator set version by domain, `""` for the default one; opset 21 unless given. */
  readonly opsets?: Readonly<Record<string, number>>;
  /** Version of the intermediate representation; 10, which goes with opset 21, unless given. */
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
}

/** A dimension: a size, the name of a symbolic one, or undefined for an unknown one. */
export type Dimension = number | string | undefined;

/**
 * Makes a node.
 *
 * @param opType operator, such as "MatMul"
 * @param inputs names of values; an empty one leaves out an optional input
 * @param outputs names of values
 * @throws FormatError `attribute` as `makeAttribute`
 * @example
 * ```ts
 * makeNode("Softmax", ["scores"], ["weights"], { attributes: { axis: -1 } });
 * ```
 */
export function makeNode(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  { name = "", domain = "", attributes = {} }: NodeOptions = {},
): NodeProto {
  return create(NodeProtoSchema, {
    input: [...inputs],
    output: [...outputs],
    opType,
    attribute: Object.entries(attributes).flatMap(([key, value]) =>
      value === undefined ? [] : [makeAttribute(key, value)],
    ),
    ...(name === "" ? {} : { name }),
    ...(domain === "" ? {} : { domain }),
  });
}

/**
 * Makes a graph of nodes in an order in which they can run.
 *
 * @example
 * ```ts
 * makeGraph("main", { nodes: [node], inputs: [makeValueInfo("x", "float32", ["batch", 8])], outputs: [y] });
 * ```
 */
export function makeGraph(
  name: string,
  { nodes, inputs = [], outputs, initializers = [], valueInfo = [] }: GraphOptions,
): GraphProto {
  return create(GraphProtoSchema, {
    name,
    node: [...nodes],
    input: [...inputs],
    output: [...outputs],
    initializer: [...initializers],
    valueInfo: [...valueInfo],
  });
}

/**
 * Makes a model of a graph.
 *
 * @example
 * ```ts
 * const model = makeModel(graph, { opsets: { "": 21, "com.microsoft": 1 } });
 * ```
 */
export function makeModel(
  graph: GraphProto,
  { opsets = { "": 21 }, irVersion = 10, producerName = "nasty", producerVersion }: ModelOptions = {},
): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    producerName,
    ...(producerVersion === undefined ? {} : { producerVersion }),
    graph,
    opsetImport: Object.entries(opsets).map(([domain, version]) => ({ domain, version: BigInt(version) })),
  });
}

/**
 * Makes a tensor message of plain numbers.
 *
 * @param name name of the initializer
 * @param dtype type of the elements; float16 and bfloat16 values are given as bits, int4 and uint4 one a number
 * @param content `values` in row-major order, and their `shape`: a vector unless given
 * @throws FormatError `size` when the number of values is not that of the shape
 * @example
 * ```ts
 * makeTensor("axes", "int64", { values: [0, 1] });
 * ```
 */
export function makeTensor(
  name: string,
  dtype: DType,
  { values, shape = [values.length] }: { values: ArrayLike<number | bigint>; shape?: readonly number[] },
): TensorProto {
  const count = elementCount(shape);
  if (values.length !== count) {
    throw new FormatError(
      "size",
      `makeTensor: tensor ${JSON.stringify(name)}: values: expected ${count} for [${shape.join(", ")}], got ${values.length}`,
      { name, expected: count, got: values.length },
    );
  }
  if (dtype === "int4" || dtype === "uint4") {
    const numbers = dtype === "int4" ? Int8Array.from(values, Number) : Uint8Array.from(values, Number);
    return tensorToProto({ dtype, shape, data: packInt4(numbers) }, name);
  }
  const data = new (dataConstructor(dtype))(count);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < count; i++) data[i] = BigInt(values[i] as number);
  } else {
    for (let i = 0; i < count; i++) data[i] = Number(values[i]);
  }
  return tensorToProto({ dtype, shape, data }, name);
}

/**
 * Describes a value: the type and shape of an input, an output or an intermediate result.
 *
 * @param shape sizes and names of dimensions; without it the rank is unknown
 * @example
 * ```ts
 * makeValueInfo("logits", "float32", ["batch", "words", 17]);
 * ```
 */
export function makeValueInfo(name: string, dtype: DType, shape?: readonly Dimension[]): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: dataTypeOf(dtype),
          ...(shape === undefined ? {} : { shape: { dim: shape.map(dimension) } }),
        },
      },
    },
  });
}

type DimensionInit = {
  value: { case: "dimValue"; value: bigint } | { case: "dimParam"; value: string } | { case: undefined };
};

function dimension(size: Dimension): DimensionInit {
  if (typeof size === "number") return { value: { case: "dimValue", value: BigInt(size) } };
  if (typeof size === "string") return { value: { case: "dimParam", value: size } };
  return { value: { case: undefined } };
}
