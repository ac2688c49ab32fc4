import { type DType, elementCount, type Tensor } from "@nasty/core";
import type { Kernels } from "../kernels/module.js";
import { bytesOf, type Heap } from "../memory/heap.js";
import { PortableError } from "../portable-error.js";
import type { ProgramNode, Program } from "./program.js";
import { type Feeds, Planner } from "./planner.js";
import type { Value } from "./value.js";

/** What one shape class runs. */
export interface Plan {
  readonly steps: readonly (() => void)[];
  /** For each step, the node that it belongs to. */
  readonly labels: readonly string[];
  readonly outputs: readonly Value[];
  /** One past the last byte that is used. */
  readonly end: number;
}

/** Inputs as they come; those that are only looked up stay where they are. */
const inputValues = (program: Program, planner: Planner, shapes: readonly (readonly number[])[]): Value[] =>
  program.inputs.map(({ dtype }, index) => {
    const shape = shapes[index] as readonly number[];
    if (program.isLookedUp[index] === true) return { dtype, shape, fed: index };
    const value = planner.result(dtype, shape);
    const { heap, feeds } = planner;
    planner.step(() => {
      const { data } = feeds.current[index] as (typeof feeds.current)[number];
      heap.u8.set(bytesOf(data as never), value.at);
    });
    return value;
  });

/** @throws PortableError `run-failed` naming the node, for shapes that do not fit */
const failed = (node: ProgramNode, error: unknown): PortableError => {
  if (error instanceof PortableError) return error;
  const isAboutInput =
    error instanceof RangeError || (error instanceof Error && "kind" in error && error.kind === "input");
  if (!isAboutInput) throw error;
  return new PortableError("run-failed", `run: ${node.label}: ${(error as Error).message}`, {
    node: node.node.name,
    operator: node.node.opType,
    cause: error,
  });
};

const planNode = (
  node: ProgramNode,
  planner: Planner,
  values: readonly (Value | undefined)[],
): readonly Value[] => {
  const inputs = node.inputs.map((number) => (number < 0 ? undefined : values[number]));
  const { host, isOfShapes, outputs } = node.built;
  const isKnown = inputs.every((value) => value === undefined || value.known !== undefined);
  if (host === undefined || !(isKnown || isOfShapes === true)) return node.built.plan(planner, inputs);
  const tensors = inputs.map((value) =>
    value === undefined ? undefined : (value.known ?? shapeAlone(value.dtype, value.shape)),
  );
  return host(tensors).map((known, index) => ({
    dtype: outputs[index] as DType,
    shape: known.shape,
    known,
  }));
};

/** Stands for a value of which only the shape is asked. */
const shapeAlone = (dtype: DType, shape: readonly number[]): Tensor => ({
  dtype,
  shape,
  data: new Uint8Array(0),
});

/**
 * The steps for inputs of these shapes.
 *
 * @throws PortableError `run-failed` for shapes that do not fit, `out-of-memory`
 */
export const compile = (
  program: Program,
  { kernels, heap, feeds }: { readonly kernels: Kernels; readonly heap: Heap; readonly feeds: Feeds },
  shapes: readonly (readonly number[])[],
): Plan => {
  const planner = new Planner({ kernels, heap, feeds });
  const values: (Value | undefined)[] = Array.from({ length: program.valueCount });
  for (const [number, value] of program.constants) values[number] = value;
  for (const [index, value] of inputValues(program, planner, shapes).entries())
    values[program.inputNumbers[index] as number] = value;
  const labels = planner.steps.map(() => "inputs");
  for (const node of program.nodes) {
    try {
      const results = planNode(node, planner, values);
      for (const [index, value] of results.entries()) {
        const number = node.outputs[index];
        // Results that nothing reads are given up at once.
        if (number === undefined || number < 0) planner.finishedWithNode(value);
        else values[number] = value;
      }
      planner.endNode(node.finished.flatMap((number) => values[number] ?? []));
    } catch (error) {
      throw failed(node, error);
    }
    while (labels.length < planner.steps.length) labels.push(node.label);
  }
  const outputs = program.outputNumbers.map((number) => values[number] as Value);
  for (const value of outputs)
    if (value.known === undefined && value.dtype === "float32") addCanonical(planner, value);
  while (labels.length < planner.steps.length) labels.push("outputs");
  return { steps: planner.steps, labels, outputs, end: planner.end };
};

/** Engines may give a NaN other bits; what leaves the engine has one pattern. */
const addCanonical = (planner: Planner, value: Value): void => {
  const [at, count, { canonical }] = [planner.address(value), elementCount(value.shape), planner.kernels];
  planner.step(() => canonical(at, count, at));
};
