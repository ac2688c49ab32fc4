import { elementCount } from "@nasty/core";
import { type Graph, type GraphWriter, graphWriter } from "@nasty/graph";

/** Where a weight's first values come from: uniform within ± bound, or the same everywhere. */
export type InitialValues =
  | { readonly bound: number }
  | { readonly value: number }
  | { readonly values: Float32Array };

/** Writes the layers of a network with random weights. */
export interface LayerWriter extends GraphWriter {
  /** Adds a float32 initializer that training may change. */
  weight(name: string, shape: readonly number[], initial: InitialValues): string;
  /** Adds int64 numbers that belong to the form of the graph. */
  ints(name: string, values: readonly number[]): string;
  /** y = x·W + b with W [inputs, outputs]. */
  linear(x: string, name: string, size: { readonly inputs: number; readonly outputs: number }): string;
  /** A Dropout node that does nothing until training switches it on. */
  dropout(x: string, name: string, ratio: number): string;
}

/** A writer whose weights depend on the seed and on the order in which they are asked for, and on nothing else. */
export function layerWriter(graph: Graph, seed: number): LayerWriter {
  const writer = graphWriter(graph);
  const { initializer, named } = writer;
  const uniform = uniformNumbers(seed);
  const weight: LayerWriter["weight"] = (name, shape, initial) =>
    initializer(name, () => ({
      dtype: "float32",
      shape,
      data: valuesOf(elementCount(shape), initial, uniform),
    }));
  return {
    ...writer,
    weight,
    ints: (name, values) =>
      initializer(name, () => ({
        dtype: "int64",
        shape: [values.length],
        data: BigInt64Array.from(values, BigInt),
      })),
    linear(x, name, { inputs, outputs }) {
      const bound = Math.sqrt(6 / (inputs + outputs));
      const W = weight(`${name}.weight`, [inputs, outputs], { bound });
      const b = weight(`${name}.bias`, [outputs], { value: 0 });
      return named(`${name}/sum`, "Add", [named(`${name}/product`, "MatMul", [x, W]), b]);
    },
    dropout(x, name, ratio) {
      if (ratio === 0) return x;
      const scalar = { dtype: "float32", shape: [], data: Float32Array.of(ratio) } as const;
      return named(name, "Dropout", [x, initializer(`${name}.ratio`, () => scalar)]);
    },
  };
}

function valuesOf(count: number, initial: InitialValues, uniform: () => number): Float32Array {
  if ("values" in initial) return initial.values;
  if ("value" in initial) return new Float32Array(count).fill(initial.value);
  return Float32Array.from({ length: count }, () => (2 * uniform() - 1) * initial.bound);
}

/** Numbers in [0, 1) by the generator "splitmix32": every seed gives another sequence, the same on every machine. */
function uniformNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32;
  };
}
