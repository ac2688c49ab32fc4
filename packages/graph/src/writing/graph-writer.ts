import { type DType, dataConstructor, elementCount, type Tensor } from "@nasty/core";
import { duplicateValue } from "../edit-errors.js";
import type { Graph } from "../graph.js";
import type { NodeFields } from "../node-fields.js";
import { type NodeWriter, nodeWriter } from "./node-writer.js";

/** Types whose elements are stored as the numbers that they are. */
export type PlainDType = Exclude<DType, "float16" | "bfloat16" | "int4" | "uint4">;

/** Writes nodes, constants and weights at the end of a graph. */
export interface GraphWriter extends NodeWriter {
  readonly graph: Graph;
  /**
   * A constant of few numbers, one initializer for all that ask for the same type, shape and values.
   *
   * @param shape `[]` for a scalar
   * @param values in row-major order
   * @param name of the initializer if nothing has it; `constant` unless given
   */
  constant(dtype: PlainDType, shape: readonly number[], values: readonly number[], name?: string): string;
  /** An initializer that is made the first time that its name is asked for; its data is shared, not copied. */
  initializer(name: string, make: () => Tensor): string;
}

export interface GraphWriterOptions {
  /** What free names begin with. */
  readonly prefix?: string;
  /** Changes each node before it is added. */
  readonly edit?: (node: NodeFields) => NodeFields;
}

/**
 * A writer that appends to a graph; the one way in which models, parts of models and gradients are written.
 *
 * A new model begins as `ModelGraph.empty`, and `toModel` gives it. Names that are asked for with `named` and
 * `initializer` are taken as they are, so that a graph may refuse them.
 *
 * @throws GraphError `duplicate-value` from `named` and `initializer` if the graph defines the name otherwise.
 * @example
 * ```ts
 * const model = ModelGraph.empty("scaled");
 * const { constant, named } = graphWriter(model.main);
 * model.main.addInput(makeValueInfo("x", "float32", ["n"]));
 * named("y", "Mul", ["x", constant("float32", [], [2])]);
 * model.main.addOutput(makeValueInfo("y", "float32", ["n"]));
 * model.toModel();
 * ```
 */
export function graphWriter(graph: Graph, { prefix = "", edit }: GraphWriterOptions = {}): GraphWriter {
  const constants = new Map<string, string>();
  const initializers = new Set<string>();
  const nodes = nodeWriter(
    {
      uniqueName: (name) => graph.uniqueName(name),
      addNode: (node) => graph.addNode(edit === undefined ? node : edit(node)),
    },
    prefix,
  );
  return {
    ...nodes,
    graph,
    constant(dtype, shape, values, name = "constant") {
      const key = `${dtype}:${shape.join()}:${values.map((v) => (Object.is(v, -0) ? "-0" : v)).join()}`;
      let found = constants.get(key);
      if (found === undefined) {
        found = graph.addInitializer(`${prefix}${name}`, tensorOf(dtype, shape, values));
        constants.set(key, found);
      }
      return found;
    },
    initializer(name, make) {
      if (initializers.has(name)) return name;
      if (graph.initializers.has(name)) throw duplicateValue(graph.path, name);
      graph.setInitializer(name, make());
      initializers.add(name);
      return name;
    },
  };
}

function tensorOf(dtype: PlainDType, shape: readonly number[], values: readonly number[]): Tensor {
  const data = new (dataConstructor(dtype))(elementCount(shape));
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.set(values.map(BigInt));
  else data.set(values);
  return { dtype, shape, data };
}
