import { tensor, type Tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  tensorToProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";

/** Seeded near-normal values. */
export function noise(count: number, seed = 1, deviation = 0.5): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: count }, () => {
    let sum = 0;
    for (let k = 0; k < 4; k++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      sum += state / 2 ** 32;
    }
    return (sum - 2) * deviation * Math.sqrt(3);
  });
}

export function matrix(name: string, shape: readonly number[], seed = 1, deviation = 0.5): TensorProto {
  return tensorToProto(
    tensor(
      "float32",
      shape,
      noise(
        shape.reduce((a, b) => a * b, 1),
        seed,
        deviation,
      ),
    ),
    name,
  );
}

export function float(shape: readonly number[], seed = 7): Tensor<"float32"> {
  return tensor(
    "float32",
    shape,
    noise(
      shape.reduce((a, b) => a * b, 1),
      seed,
      1,
    ),
  );
}

export function int64(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): Tensor<"int64"> {
  return tensor("int64", shape, BigInt64Array.from(values, BigInt));
}

export interface TinyModel {
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
  readonly inputs?: readonly ValueInfoProto[];
  readonly outputs?: readonly string[];
  readonly opset?: number;
  readonly irVersion?: number;
}

/** A model with the float input `x` [batch, length, 16] and the float output `y`, unless told otherwise. */
export function model({
  nodes,
  initializers = [],
  inputs,
  outputs = ["y"],
  opset = 17,
  irVersion = 8,
}: TinyModel): ModelProto {
  const x = [makeValueInfo("x", "float32", ["batch", "length", 16])];
  const declared = outputs.map((name) => makeValueInfo(name, "float32"));
  const graph = makeGraph("tiny", { nodes, inputs: inputs ?? x, outputs: declared, initializers });
  return makeModel(graph, { opsets: { "": opset }, irVersion });
}

export const node = makeNode;

/** x [.., 16] → MatMul [16, 24] → Add → y. */
export function linear(options: Partial<TinyModel> = {}): ModelProto {
  return model({
    nodes: [
      node("MatMul", ["x", "W"], ["p"], { name: "dense" }),
      node("Add", ["b", "p"], ["y"], { name: "bias" }),
    ],
    initializers: [matrix("W", [16, 24]), matrix("b", [24], 3)],
    ...options,
  });
}

export async function run(
  m: ModelProto,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const session = await openSession(m);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

/** Signal over noise of an output, in decibels, on both models. */
export async function agreementDb(
  original: ModelProto,
  quantized: ModelProto,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<number> {
  const [a, b] = [await run(original, feeds), await run(quantized, feeds)];
  let signal = 0;
  let error = 0;
  for (const [name, value] of Object.entries(a)) {
    const other = b[name]?.data as Float32Array;
    for (const [index, x] of (value.data as Float32Array).entries()) {
      signal += x * x;
      error += (x - (other[index] as number)) ** 2;
    }
  }
  return 10 * Math.log10(signal / error);
}

export function ops(m: ModelProto): string[] {
  return (m.graph?.node ?? []).map(({ opType }) => opType);
}

export function initializerNames(m: ModelProto): string[] {
  return (m.graph?.initializer ?? []).map(({ name }) => name);
}
