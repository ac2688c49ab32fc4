import type { Tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
  type NodeOptions,
  tensorFromProto,
} from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { expect } from "vitest";
import { buildTrainingGraph, seededRandom } from "../../src/index.js";
import { nd, type Nd, size } from "./array.js";
import { evaluate, fromTensor } from "./evaluate.js";

/** An operand of a node under test. */
export type Operand =
  | {
      readonly kind: "weight";
      readonly shape: readonly number[];
      readonly values?: readonly number[];
      readonly positive?: boolean;
    }
  | { readonly kind: "ints"; readonly shape?: readonly number[]; readonly values: readonly number[] }
  | { readonly kind: "bools"; readonly shape: readonly number[]; readonly values: readonly number[] }
  | { readonly kind: "floats"; readonly shape?: readonly number[]; readonly values: readonly number[] }
  | { readonly kind: "none" };

export const weight = (shape: readonly number[], values?: readonly number[]): Operand => ({
  kind: "weight",
  shape,
  ...(values && { values }),
});
export const positive = (shape: readonly number[]): Operand => ({ kind: "weight", shape, positive: true });
export const ints = (values: readonly number[], shape: readonly number[] = [values.length]): Operand => ({
  kind: "ints",
  values,
  shape,
});
export const floats = (values: readonly number[], shape: readonly number[] = []): Operand => ({
  kind: "floats",
  values,
  shape,
});
export const none: Operand = { kind: "none" };

export interface NodeUnderTest {
  readonly opType: string;
  readonly operands: readonly Operand[];
  readonly attributes?: NodeOptions["attributes"];
  readonly outputs?: number;
  /** Known shape of the operands as the graph declares it; numbers unless this is set. */
  readonly dynamic?: boolean;
  readonly seed?: number;
  readonly domain?: string;
}

/** Operators whose weights must have known shapes; their data need not. */
const staticWeights = new Set(["Conv", "LSTM"]);

/**
 * A model of the node alone. The loss is the mean squared error of each output against a random target, so every
 * element of the gradient has a weight of its own. With `dynamic`, weights pass through a Reshape with a fed shape
 * first, which hides every dimension (not the rank) from the builder.
 */
export function modelOf({
  opType,
  operands,
  attributes = {},
  outputs = 1,
  seed = 1,
  dynamic = false,
  domain = "",
}: NodeUnderTest): { model: ModelProto; feeds: Record<string, Tensor> } {
  const random = seededRandom(seed);
  const feeds: Record<string, Tensor> = {};
  const names = operands.map((operand, i) => (operand.kind === "none" ? "" : `x${i}`));
  const initializers = operands.flatMap((operand, i) => {
    const name = names[i] as string;
    switch (operand.kind) {
      case "none":
        return [];
      case "ints":
        return [
          makeTensor(name, "int64", {
            values: operand.values,
            shape: operand.shape ?? [operand.values.length],
          }),
        ];
      case "bools":
        return [makeTensor(name, "bool", operand)];
      case "floats":
        return [makeTensor(name, "float32", { values: operand.values, shape: operand.shape ?? [] })];
      case "weight": {
        const draw = (): number => (operand.positive ? 0.5 + random.uniform() : random.normal());
        const values = operand.values ?? Array.from({ length: size(operand.shape) }, draw);
        return [makeTensor(name, "float32", { values, shape: operand.shape })];
      }
    }
  });
  const outs = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const inputs = [];
  const nodes = [];
  const used = [...names];
  if (dynamic) {
    for (const [i, operand] of operands.entries()) {
      if (operand.kind !== "weight" || (staticWeights.has(opType) && i > 0)) continue;
      inputs.push(makeValueInfo(`shape${i}`, "int64", [operand.shape.length]));
      feeds[`shape${i}`] = {
        dtype: "int64",
        shape: [operand.shape.length],
        data: BigInt64Array.from(operand.shape, BigInt),
      };
      used[i] = `hidden${i}`;
      nodes.push(
        makeNode("Reshape", [names[i] as string, `shape${i}`], [`hidden${i}`], { name: `hide${i}` }),
      );
    }
  }
  nodes.push(makeNode(opType, used, outs, { name: "node", attributes, domain }));
  const graph = makeGraph("test", {
    nodes,
    inputs,
    outputs: outs.map((name) => makeValueInfo(name, "float32")),
    initializers,
  });
  return { model: makeModel(graph, { opsets: { "": 21, "com.microsoft": 1 } }), feeds };
}

export interface GradientCheck {
  readonly model: ModelProto;
  readonly feeds: Record<string, Tensor>;
  /** Outputs that enter the loss. */
  readonly outputs: readonly string[];
  readonly trainable: readonly string[];
  /** Relative error allowed. */
  readonly tolerance?: number;
  /** At most this many elements of each weight are differenced. */
  readonly elements?: number;
}

/** Compares the training graph's gradients, computed by the runtime, with central differences in float64. */
export async function checkGradients({
  model,
  feeds,
  outputs,
  trainable,
  tolerance = 2e-4,
  elements = 24,
}: GradientCheck): Promise<void> {
  const values = new Map<string, Nd>(
    Object.entries(feeds).map(([name, tensor]) => [name, fromTensor(tensor)]),
  );
  const reference = evaluate(model, values);
  const random = seededRandom(99);
  const targets = new Map(
    outputs.map((name) => [
      name,
      Float64Array.from(reference.get(name)?.data ?? [], (v) => Math.fround(v + random.normal())),
    ]),
  );
  const loss = (overrides: ReadonlyMap<string, Nd>): number => {
    const result = evaluate(model, overrides);
    return outputs.reduce((total, name) => {
      const [y, t] = [result.get(name)?.data as Float64Array, targets.get(name) as Float64Array];
      return total + y.reduce((sum, v, i) => sum + (v - (t[i] as number)) ** 2, 0) / y.length;
    }, 0);
  };

  const training = buildTrainingGraph(model, {
    trainable,
    loss: outputs.map((name) => ({ kind: "mse", prediction: name, target: `target/${name}`, name }) as const),
    outputs,
  });
  const session = await openSession(training.model);
  try {
    const all: Record<string, Tensor> = { ...feeds };
    for (const tensor of model.graph?.initializer ?? [])
      if (trainable.includes(tensor.name)) all[tensor.name] = tensorFromProto(tensor);
    for (const [name, target] of targets)
      all[`target/${name}`] = {
        dtype: "float32",
        shape: reference.get(name)?.shape ?? [],
        data: Float32Array.from(target),
      };
    const results = await session.run(all);
    for (const name of outputs)
      close(`output ${name}`, fromTensor(results[name] as Tensor), reference.get(name) as Nd, tolerance);
    expect(Number(results[training.loss]?.data[0]), "loss").toBeCloseTo(loss(values), 3);

    expect(training.weights.map(({ name }) => name).sort()).toEqual([...trainable].sort());
    for (const { name, shape, dense, rows } of training.weights) {
      const gradient = new Float64Array(size(shape));
      if (dense !== undefined) {
        expect(results[dense]?.shape, `shape of the gradient of ${name}`).toEqual([...shape]);
        fromTensor(results[dense] as Tensor).data.forEach((v, i) => (gradient[i] = v));
      }
      for (const pair of rows)
        addRows(gradient, shape, {
          indices: results[pair.indices] as Tensor,
          values: results[pair.values] as Tensor,
        });
      const original = fromTensor(all[name] as Tensor);
      const picked = pick(original.data.length, elements);
      const numeric = picked.map((i) => difference(loss, values, { name, original, i }));
      close(
        `gradient of ${name}`,
        nd(
          [picked.length],
          picked.map((i) => gradient[i] as number),
        ),
        nd([picked.length], numeric),
        tolerance,
      );
    }
  } finally {
    await session.close();
  }
}

function addRows(
  gradient: Float64Array,
  shape: readonly number[],
  { indices, values }: { indices: Tensor; values: Tensor },
): void {
  const [height = 0, width = 0] = shape;
  for (const [k, index] of fromTensor(indices).data.entries()) {
    const row = index < 0 ? index + height : index;
    for (let j = 0; j < width; j++)
      gradient[row * width + j] = (gradient[row * width + j] as number) + Number(values.data[k * width + j]);
  }
}

function pick(count: number, limit: number): number[] {
  const step = Math.max(1, Math.floor(count / limit));
  return Array.from({ length: count }, (_, i) => i).filter((i) => i % step === 0);
}

function difference(
  loss: (values: ReadonlyMap<string, Nd>) => number,
  values: ReadonlyMap<string, Nd>,
  { name, original, i }: { name: string; original: Nd; i: number },
): number {
  const h = 1e-5;
  const moved = (by: number): number => {
    const data = original.data.slice();
    data[i] = (data[i] as number) + by;
    return loss(new Map([...values, [name, { shape: original.shape, data }]]));
  };
  return (moved(h) - moved(-h)) / (2 * h);
}

function close(what: string, got: Nd, expected: Nd, tolerance: number): void {
  expect(got.shape, `${what}: shape`).toEqual(expected.shape);
  const scale = Math.max(1e-2, ...expected.data.map(Math.abs));
  for (const [i, value] of expected.data.entries()) {
    if (!(Math.abs((got.data[i] as number) - value) <= tolerance * scale)) {
      expect.fail(`${what}: element ${i}: expected ${value}, got ${got.data[i]} (scale ${scale})`);
    }
  }
}

/** Checks one node: its outputs and the gradients of all of its weight operands. */
export async function checkNode(node: NodeUnderTest, tolerance?: number): Promise<void> {
  const { model, feeds } = modelOf(node);
  const trainable = node.operands.flatMap((operand, i) => (operand.kind === "weight" ? [`x${i}`] : []));
  const outputs = Array.from({ length: node.outputs ?? 1 }, (_, i) => `y${i}`);
  await checkGradients({
    model,
    feeds,
    outputs,
    trainable,
    ...(tolerance === undefined ? {} : { tolerance }),
  });
}
