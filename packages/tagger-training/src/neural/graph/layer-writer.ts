import { elementCount } from "@nasty/core";
import { makeTensor } from "@nasty/formats/onnx";
import { type GraphWriter, makeGraphWriter } from "@nasty/taggers/encoders";

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
export function makeLayerWriter(seed: number): LayerWriter {
  const graph = makeGraphWriter();
  const uniform = uniformNumbers(seed);
  const weight: LayerWriter["weight"] = (name, shape, initial) => {
    const values = valuesOf(elementCount(shape), initial, uniform);
    return graph.add(makeTensor(name, "float32", { values, shape }));
  };
  return {
    ...graph,
    weight,
    ints: (name, values) => graph.once(name, (n) => makeTensor(n, "int64", { values })),
    linear(x, name, { inputs, outputs }) {
      const bound = Math.sqrt(6 / (inputs + outputs));
      const W = weight(`${name}.weight`, [inputs, outputs], { bound });
      const b = weight(`${name}.bias`, [outputs], { value: 0 });
      return graph.op("Add", [graph.op("MatMul", [x, W], `${name}/product`), b], `${name}/sum`);
    },
    dropout(x, name, ratio) {
      if (ratio === 0) return x;
      const shared = graph.once(`${name}.ratio`, (n) =>
        makeTensor(n, "float32", { values: [ratio], shape: [] }),
      );
      return graph.op("Dropout", [x, shared], name);
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
