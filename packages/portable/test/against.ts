import { type DType, tensor, type Tensor, toFloat32 } from "@nasty/core";
import {
  type AttributeValue,
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  type ModelProto,
  serializeModel,
  tensorToProto,
} from "@nasty/formats/onnx";
import fc from "fast-check";
import ort from "onnxruntime-node";
import { expect } from "vitest";
import { openModel } from "../src/index.js";

/** One node with what it is given: inputs that are weights by their positions, the others are fed. */
export interface Case {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly weights?: readonly number[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Element types of the outputs. */
  readonly outputs: readonly DType[];
  readonly opset?: number;
}

export const modelOf = ({
  op,
  domain = "",
  inputs,
  weights = [],
  attributes,
  outputs,
  opset = 21,
}: Case): ModelProto => {
  const names = inputs.map((one, index) => (one === undefined ? "" : `x${index}`));
  const isWeight = (index: number): boolean => weights.includes(index);
  return makeModel(
    makeGraph("case", {
      nodes: [
        makeNode(
          op,
          names,
          outputs.map((_, index) => `y${index}`),
          { name: "node", domain, ...(attributes && { attributes }) },
        ),
      ],
      inputs: inputs.flatMap((one, index) =>
        one === undefined || isWeight(index)
          ? []
          : [
              makeValueInfo(
                `x${index}`,
                one.dtype,
                one.shape.map(() => undefined),
              ),
            ],
      ),
      outputs: outputs.map((dtype, index) => makeValueInfo(`y${index}`, dtype)),
      initializers: inputs.flatMap((one, index) =>
        one === undefined || !isWeight(index) ? [] : [tensorToProto(one, `x${index}`)],
      ),
    }),
    { opsets: { "": opset, "com.microsoft": 1 } },
  );
};

export const feedsOf = ({ inputs, weights = [] }: Case): Record<string, Tensor> =>
  Object.fromEntries(
    inputs.flatMap((one, index) =>
      one === undefined || weights.includes(index) ? [] : [[`x${index}`, one]],
    ),
  );

/** What ONNX Runtime computes. */
export const reference = async (
  model: ModelProto,
  feeds: Readonly<Record<string, Tensor>>,
  optimization: "all" | "disabled" = "all",
): Promise<Record<string, Tensor>> => {
  const session = await ort.InferenceSession.create(serializeModel(model), {
    logSeverityLevel: 4,
    graphOptimizationLevel: optimization,
    intraOpNumThreads: 1,
    executionMode: "sequential",
  });
  try {
    const given = Object.fromEntries(
      Object.entries(feeds).map(([name, { dtype, shape, data }]) => [
        name,
        new ort.Tensor(dtype as "float32", data as Float32Array, shape),
      ]),
    );
    const results = await session.run(given);
    return Object.fromEntries(
      Object.entries(results).map(([name, value]) => {
        const data = value.data as Float32Array;
        const stored =
          value.type === "bool" ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data;
        return [name, { dtype: value.type as DType, shape: [...value.dims], data: stored } as Tensor];
      }),
    );
  } finally {
    await session.release();
  }
};

export interface Tolerance {
  /** Largest difference of floats, of the value or absolute; 0 asks for the same numbers. */
  readonly float?: number;
  /** Largest difference of integers. */
  readonly whole?: number;
}

export const expectAlike = (
  got: Tensor,
  expected: Tensor,
  { float = 2e-6, whole = 0 }: Tolerance = {},
): void => {
  expect({ dtype: got.dtype, shape: got.shape }).toEqual({ dtype: expected.dtype, shape: expected.shape });
  if (!expected.dtype.startsWith("float") && whole === 0) {
    expect([...(got.data as Uint8Array)]).toEqual([...(expected.data as Uint8Array)]);
    return;
  }
  const [a, b] = [numbersOf(got), numbersOf(expected)];
  const allowed = expected.dtype.startsWith("float") ? float : whole;
  for (const [i, value] of b.entries()) {
    const own = a[i] as number;
    const isClose =
      Object.is(own, value) ||
      own === value ||
      Math.abs(own - value) <= allowed * Math.max(1, Math.abs(value));
    if (!isClose) expect.fail(`element ${i}: expected ${value}, got ${own}`);
  }
};

const numbersOf = (one: Tensor): number[] =>
  one.dtype === "float16" ? [...toFloat32(one)] : Array.from(one.data as ArrayLike<number | bigint>, Number);

/** Runs a case on both engines and compares all outputs. */
export const compare = async (one: Case, tolerance?: Tolerance): Promise<void> => {
  const model = modelOf(one);
  const expected = await reference(model, feedsOf(one));
  const opened = await openModel(model);
  try {
    const got = opened.run(feedsOf(one));
    for (const [name, value] of Object.entries(expected)) expectAlike(got[name] as Tensor, value, tolerance);
  } finally {
    opened.close();
  }
};

/** Tries a property a few times: a session of ONNX Runtime is made for each. */
export const tried = <T>(
  cases: fc.Arbitrary<T>,
  check: (one: T) => Promise<void>,
  numRuns = 25,
): Promise<void> => fc.assert(fc.asyncProperty(cases, check), { numRuns });

export const sizes = (least: number, most: number): fc.Arbitrary<number> =>
  fc.integer({ min: least, max: most });

export const shapes = (rank: { min: number; max: number }, most = 7): fc.Arbitrary<number[]> =>
  fc.array(sizes(1, most), { minLength: rank.min, maxLength: rank.max });

/** Floats of a shape, a function of a seed. */
export const floats = (shape: readonly number[], seed: number, spread = 3): Tensor<"float32"> => {
  const next = generator(seed);
  return tensor(
    "float32",
    shape,
    Float32Array.from({ length: count(shape) }, () => (next() * 2 - 1) * spread),
  );
};

/** Whole numbers of a type between two limits. */
export const wholes = <D extends "int8" | "uint8" | "int32" | "int64" | "bool">(
  dtype: D,
  shape: readonly number[],
  { seed, min, max }: { readonly seed: number; readonly min: number; readonly max: number },
): Tensor<D> => {
  const next = generator(seed);
  const values = Array.from({ length: count(shape) }, () => Math.floor(next() * (max - min + 1)) + min);
  const data =
    dtype === "int64"
      ? BigInt64Array.from(values, BigInt)
      : dtype === "int32"
        ? Int32Array.from(values)
        : dtype === "int8"
          ? Int8Array.from(values)
          : Uint8Array.from(values);
  return tensor(dtype, shape, data as never);
};

export const longs = (values: readonly number[]): Tensor<"int64"> =>
  tensor("int64", [values.length], BigInt64Array.from(values, BigInt));

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

const generator = (seed: number): (() => number) => {
  let state = (seed * 2654435761 + 12345) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
};

export const seeds = fc.integer({ min: 1, max: 1e6 });
