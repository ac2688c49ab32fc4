import type { DType } from "@nasty/core";
import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { inferShapes, ModelGraph } from "@nasty/graph";
import { CalibrationError } from "./calibration-error.js";

/** Element types that an observer can read. */
const observable: ReadonlySet<DType> = new Set<DType>(["float32", "float16", "float64"]);

/** Integers and truth values that a run can return as they are. */
export const wholeNumbers: ReadonlySet<DType> = new Set<DType>([
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
]);

/** A tensor to watch: whose value it is, and which of its sizes the model fixes. */
export interface WatchedTensor {
  readonly name: string;
  /** A graph input is read from the feeds; anything else is an output of the run. */
  readonly isInput: boolean;
  readonly dtype: DType;
  /**
   * As inference has it: sizes, symbols, or nothing where it does not know; undefined if it does not know the rank
   * either.
   */
  readonly shape: readonly (number | string | undefined)[] | undefined;
  /** Whether its values may be written into the same memory at each run, where the shape says how much that is. */
  readonly isReused: boolean;
}

export interface ObservedModel {
  readonly model: ModelProto;
  readonly tensors: readonly WatchedTensor[];
}

const whereElse = (graph: ModelGraph, name: string): string => {
  if (graph.allGraphs().some((inner) => inner.parent !== undefined && inner.defines(name))) {
    return "a value inside a subgraph, which no run can return";
  }
  return graph.main.initializer(name) === undefined ? "no such value" : "a constant";
};

/**
 * A copy of a model that also returns the given tensors.
 *
 * @param constants whether constants may be among them. Default false
 * @param integers whether integers and truth values may be. Default false
 * @throws CalibrationError `unknown-tensor` for a constant, a value of a subgraph or none at all; `unsupported-dtype`
 *   for values that are not floats.
 */
export const observedModel = (
  model: ModelProto,
  tensorNames: readonly string[],
  { constants = false, integers = false }: { readonly constants?: boolean; readonly integers?: boolean } = {},
): ObservedModel => {
  const graph = ModelGraph.from(model);
  const { main } = graph;
  const types = inferShapes(graph);
  const inputs = new Set(main.inputs.map(({ name }) => name));
  const tensors = [...new Set(tensorNames)].map((name): WatchedTensor => {
    const isInput = inputs.has(name);
    const isConstant = constants && main.initializer(name) !== undefined;
    if (!isInput && !isConstant && main.producer(name) === undefined) {
      throw new CalibrationError(
        "unknown-tensor",
        `calibrate: tensor ${name}: expected an activation of the main graph, got ${whereElse(graph, name)}`,
        { tensor: name },
      );
    }
    const type = types.typeOf(main, name);
    const dtype = type?.dtype ?? "float32";
    if (!observable.has(dtype) && !(integers && wholeNumbers.has(dtype))) {
      throw new CalibrationError(
        "unsupported-dtype",
        `calibrate: tensor ${name}: element type: expected a float, got ${dtype}`,
        { tensor: name },
      );
    }
    if (!isInput && !main.isOutput(name)) main.addOutput(makeValueInfo(name, dtype));
    return { name, isInput, dtype, shape: type?.shape, isReused: !isConstant };
  });
  return { model: graph.toModel(), tensors };
};
