import type { Tensor } from "../../packages/core/src/index.js";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "../../packages/formats/src/onnx/index.js";
import { seededRandom } from "../../packages/training/src/index.js";

type Node = ReturnType<typeof makeNode>;
type Initializer = ReturnType<typeof makeTensor>;

export const node = makeNode;
export const constant = makeTensor;

export const randomFloats = (count: number, seed: number): Float32Array => {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

export const floatTensor = (shape: readonly number[], seed: number): Tensor => ({
  dtype: "float32",
  shape,
  data: randomFloats(
    shape.reduce((a, b) => a * b, 1),
    seed,
  ),
});

export const longTensor = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: "int64",
  shape,
  data: BigInt64Array.from(values, BigInt),
});

/** A random float32 initializer. */
export const randomWeight = (name: string, shape: readonly number[], seed: number): Initializer =>
  makeTensor(name, "float32", {
    shape,
    values: [
      ...randomFloats(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
    ],
  });

/** A model of nodes; inputs are float32 of the shapes given. */
export function modelOfNodes(fields: {
  readonly nodes: readonly Node[];
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly outputs: readonly string[];
  readonly initializers: readonly Initializer[];
}): ModelProto {
  const graph = makeGraph("test", {
    nodes: [...fields.nodes],
    inputs: Object.entries(fields.inputs ?? {}).map(([name, shape]) => makeValueInfo(name, "float32", shape)),
    outputs: fields.outputs.map((name) => makeValueInfo(name, "float32")),
    initializers: [...fields.initializers],
  });
  return makeModel(graph, { opsets: { "": 21 } });
}
