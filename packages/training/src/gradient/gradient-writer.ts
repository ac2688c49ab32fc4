import type { DType } from "@nasty/core";
import { type AttributeValue, dataTypeOf } from "@nasty/formats/onnx";
import {
  type Attributes,
  type Graph,
  type GraphWriter,
  graphWriter,
  type NodeFields,
  type PlainDType,
} from "@nasty/graph";

/** A writer with the steps that gradients and losses are made of. */
export interface GradientWriter extends GraphWriter {
  /** op(A) · op(B) of the last two dimensions, scaled; transposed operands are read as they lie, not copied. */
  matmul(a: string, b: string, options?: MatMulOptions): string;
  /** A constant vector of int64. */
  ints(values: readonly number[]): string;
  /** A constant scalar. */
  scalar(value: number, dtype?: PlainDType): string;
  /** A constant vector of float32. */
  scalars(values: readonly number[]): string;
  /** Shape of a tensor, as int64 vector; asked once per tensor. */
  shape(name: string): string;
  /** Length of one dimension, as int64 vector of one element. */
  dimension(name: string, axis: number): string;
  /** Zeros of the shape of a tensor. */
  zerosLike(name: string): string;
  /** Sum of one or more tensors of the same shape. */
  sum(names: readonly string[]): string;
  /**
   * Σ over all dimensions but the last: [N] from [..., N]. A product with a vector of ones (or of `weights`, one number
   * for each of the places summed), which takes the runtime a third of the time of ReduceSum.
   */
  sumRows(name: string, dimensions: RowDimensions, options?: { readonly weights?: string }): string;
}

/** Dimensions of a tensor [..., N] whose last is known. */
export type RowDimensions = readonly [...(number | string | undefined)[], number];

export interface MatMulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}

/** An attribute of type float whatever its value. */
function float(value: number): AttributeValue {
  return { kind: "float", value };
}

/**
 * A writer that appends to `graph`. Names start with `prefix`, which tells nodes of the backward part from the
 * forward ones in profiles and error messages.
 */
export function gradientWriter(graph: Graph, prefix: string): GradientWriter {
  const writer = graphWriter(graph, { prefix, edit: (node) => asRuntimeTakesIt(graph, node) });
  const { op, constant } = writer;
  const shapes = new Map<string, string>();
  const onesOf = new Map<string, string>();
  const ones = (rows: string, leading: readonly (number | string | undefined)[]): string => {
    // Tensors with the same leading dimensions share their ones.
    const key = leading.includes(undefined) ? `of ${rows}` : leading.join(", ");
    let found = onesOf.get(key);
    if (found === undefined) {
      found = op("ConstantOfShape", [op("Shape", [rows], { start: 0, end: 1 })], {
        value: { dtype: "float32", shape: [1], data: Float32Array.of(1) },
      });
      onesOf.set(key, found);
    }
    return found;
  };
  const shape = (of: string): string => {
    let found = shapes.get(of);
    if (found === undefined) {
      found = op("Shape", [of]);
      shapes.set(of, found);
    }
    return found;
  };
  return {
    ...writer,
    shape,
    matmul(a, b, { transA = false, transB = false, alpha = 1 } = {}) {
      if (!transA && !transB && alpha === 1) return op("MatMul", [a, b]);
      return op("FusedMatMul", [a, b], {
        transA: Number(transA),
        transB: Number(transB),
        alpha: float(alpha),
      });
    },
    ints: (values) => constant("int64", [values.length], values),
    scalars: (values) => constant("float32", [values.length], values),
    scalar: (value, dtype = "float32") => constant(dtype, [], [value]),
    dimension(of, axis) {
      const attributes = axis === -1 ? { start: -1 } : { start: axis, end: axis + 1 };
      return op("Shape", [of], attributes);
    },
    zerosLike: (of) =>
      op("ConstantOfShape", [shape(of)], {
        value: { dtype: "float32", shape: [1], data: new Float32Array(1) },
      }),
    sum(names) {
      return names.reduce((total, next) => op("Add", [total, next]));
    },
    sumRows(name, dimensions, { weights } = {}) {
      const [leading, width] = [dimensions.slice(0, -1), dimensions.at(-1) as number];
      const rows = leading.length === 1 ? name : op("Reshape", [name, constant("int64", [2], [-1, width])]);
      const factors =
        weights === undefined ? ones(rows, leading) : op("Reshape", [weights, constant("int64", [1], [-1])]);
      return op("MatMul", [factors, rows]);
    },
  };
}

function asRuntimeTakesIt(graph: Graph, node: NodeFields): NodeFields {
  switch (node.opType) {
    case "FusedMatMul":
      return { ...node, domain: "com.microsoft" };
    case "Reshape": {
      const [source = "", ...shape] = node.inputs;
      return { ...node, inputs: [beforeReshape(graph, source), ...shape] };
    }
    default:
      return node;
  }
}

const reshaping = new Set(["Reshape", "Squeeze", "Unsqueeze"]);

/**
 * The tensor whose elements a chain of reshapes hands on. Two reshapes in a row are one to us; ONNX Runtime 1.30 fails
 * to load some graphs in which it makes one of them itself ("Attempting to get index by a name which does not exist").
 */
function beforeReshape(graph: Graph, name: string): string {
  let source = name;
  for (
    let node = graph.producer(source);
    node !== undefined && reshaping.has(node.opType);
    node = graph.producer(source)
  ) {
    source = node.input[0] as string;
  }
  return source;
}

/** Element type numbers as the Cast operator takes them. */
export function castTo(dtype: DType): Attributes {
  return { to: dataTypeOf(dtype) };
}
