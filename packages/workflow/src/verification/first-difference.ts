import { type CalibrationBatch, tapActivations } from "@nasty/calibration";
import type { DType } from "@nasty/core";
import type { ModelProto, NodeProto } from "@nasty/formats/onnx";
import { type Graph, inferShapes, ModelGraph, operatorLabel } from "@nasty/graph";
import { RuntimeError } from "@nasty/runtime";
import type { Engine } from "./engine.js";
import { errorOf, type OutputValues, sizeOf } from "./output-error.js";

/** The node at which what an engine computes departs from what it should. */
export interface FirstDifference {
  /** Its name, or that of its first output. */
  readonly node: string;
  readonly operator: string;
  /** The value that departs. */
  readonly output: string;
  /** Relative error of that value, √(Σ(a − b)² / Σa²); null where it is not finite. */
  readonly error: number | null;
  /** What the value is compared with: an engine by its name, or `original`. */
  readonly from: string;
  /** Whether the engine computes the node rightly by itself, and wrongly only where it joins it with its neighbours. */
  readonly fused?: true;
}

export interface DifferenceSearch {
  /** The engine that is right. */
  readonly reference: Engine;
  readonly engine: Engine;
  readonly batch: CalibrationBatch;
  /** Output of the model that departs. */
  readonly output: string;
  /** Values with a larger relative error depart. */
  readonly tolerance: number;
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
}

interface Value {
  readonly name: string;
  readonly node: NodeProto;
}

/**
 * Finds the first node whose value departs between two engines that run one model.
 *
 * Values are looked at one a run: halves of what the departing value is computed from, then the inputs of the node that
 * was found. It is the one if all of them agree; else the search goes on above the input that departs. So the answer
 * does not need departures to go on to the end, and a run holds one more value than the model itself has.
 *
 * @returns undefined if the output does not come from a node
 */
export async function firstDifference(
  model: ModelProto,
  search: DifferenceSearch,
): Promise<FirstDifference | undefined> {
  const opened = ModelGraph.from(model);
  const { main } = opened;
  const types = inferShapes(opened);
  const isTapped = (name: string): boolean => tapped.has(types.typeOf(main, name)?.dtype ?? "string");
  const ask = (names: readonly string[]): Promise<ReadonlyMap<string, number>> =>
    errorsOf(opened.toModel(), names, search);

  let found = valueOf(main, search.output);
  if (found === undefined) return undefined;
  let error = (await ask([found.name])).get(found.name) ?? Number.POSITIVE_INFINITY;
  for (;;) {
    let above = valuesAbove(main, found.node).filter(({ name }) => isTapped(name));
    while (above.length > 0) {
      const middle = above.length >> 1;
      const value = above[middle] as Value;
      const itsError = (await ask([value.name])).get(value.name) ?? 0;
      if (itsError > search.tolerance) {
        [found, error] = [value, itsError];
        const ancestors = new Set(valuesAbove(main, value.node).map(({ name }) => name));
        above = above.slice(0, middle).filter(({ name }) => ancestors.has(name));
      } else {
        above = above.slice(middle + 1);
      }
    }
    const inputs = inputsOf(main, found.node, isTapped);
    const together = await ask([...inputs, found].map(({ name }) => name));
    const wrong = inputs.find(({ name }) => (together.get(name) ?? 0) > search.tolerance);
    if (wrong === undefined) {
      const alone = together.get(found.name) ?? error;
      return described(found, error, search, inputs.length > 0 && alone <= search.tolerance);
    }
    [found, error] = [wrong, together.get(wrong.name) as number];
  }
}

/** Types whose values are compared. */
const tapped: ReadonlySet<DType | "string"> = new Set<DType>([
  "float32",
  "float16",
  "float64",
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

function described(
  { name, node }: Value,
  error: number,
  { reference }: DifferenceSearch,
  isFused: boolean,
): FirstDifference {
  return {
    node: node.name || (node.output[0] ?? name),
    operator: operatorLabel(node),
    output: name,
    error: Number.isFinite(error) ? error : null,
    from: reference.name,
    ...(isFused && { fused: true as const }),
  };
}

function valueOf(graph: Graph, name: string): Value | undefined {
  const node = graph.producer(name);
  return node === undefined ? undefined : { name, node };
}

/** What a node is computed from, in the order of the graph; what its subgraphs read is seen through its inputs only. */
function valuesAbove(graph: Graph, node: NodeProto): readonly Value[] {
  const above = new Set<NodeProto>();
  const pending = [...readBy(graph, node)];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const producer = graph.producer(name);
    if (producer === undefined || above.has(producer)) continue;
    above.add(producer);
    pending.push(...readBy(graph, producer));
  }
  const nodes = graph.nodes.filter((one) => above.has(one));
  return nodes.flatMap((one) =>
    one.output.filter((name) => name !== "").map((name) => ({ name, node: one })),
  );
}

/** Inputs of a node, and what its subgraphs read from around them. */
function readBy(graph: Graph, node: NodeProto): readonly string[] {
  const inner = graph.subgraphs(node).flatMap((child) => child.allGraphs());
  const captured = inner.flatMap((scope) => scope.nodes.flatMap(({ input }) => input));
  return [...node.input, ...captured.filter((name) => graph.defines(name))];
}

/** The values that a node reads, or where one cannot be looked at, those that it is computed from. */
function inputsOf(graph: Graph, node: NodeProto, isTapped: (name: string) => boolean): readonly Value[] {
  const found = new Map<string, Value>();
  const pending = [...readBy(graph, node)];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const value = valueOf(graph, name);
    if (value === undefined || found.has(name)) continue;
    if (isTapped(name)) found.set(name, value);
    else pending.push(...readBy(graph, value.node));
  }
  return [...found.values()];
}

/** Relative errors by name; of values that an engine cannot return there is none. */
async function errorsOf(
  model: ModelProto,
  names: readonly string[],
  { reference, engine, batch, threads, signal }: DifferenceSearch,
): Promise<ReadonlyMap<string, number>> {
  const valuesOn = async (one: Engine): Promise<ReadonlyMap<string, OutputValues>> => {
    const values = new Map<string, OutputValues>();
    await tapActivations(
      model,
      names,
      [batch],
      ({ name, real }) => void values.set(name, { data: real().slice(), width: 1 }),
      {
        threads,
        integers: true,
        constants: true,
        open: (observed) => one.open(observed, { threads }),
        ...(signal !== undefined && { signal }),
      },
    );
    return values;
  };
  try {
    const [right, judged] = [await valuesOn(reference), await valuesOn(engine)];
    const found = new Map<string, number>();
    for (const [name, value] of right) {
      const other = judged.get(name);
      found.set(name, sizeOf(errorOf([value], other === undefined ? [] : [other]).relativeError));
    }
    return found;
  } catch (error) {
    if (error instanceof RuntimeError) return new Map();
    throw error;
  }
}
