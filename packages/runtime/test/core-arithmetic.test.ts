import {
  cast,
  convInteger,
  dequantizeLinear,
  type DType,
  dynamicQuantizeLinear,
  type Granularity,
  matMulInteger,
  packInt4,
  perBlock,
  perChannel,
  perTensor,
  qLinearConv,
  qLinearMatMul,
  type QuantizedDType,
  quantizeLinear,
  type Tensor,
  tensor,
  toFloat32,
} from "@nasty/core";
import {
  type AttributeValue,
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  tensorToProto,
} from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { openSession } from "../src/index.js";

// Random cases of the quantization operators through core's arithmetic and through the runtime's kernels. Many nodes
// stand in one model, so that a few sessions try hundreds of cases; the seed is fixed.

interface Case {
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** What core computes, by output. */
  readonly expected: readonly Tensor[];
  /** Largest difference of integers that is allowed; a kernel that scales in float32 may round a tie the other way. */
  readonly tolerance?: number;
}

function random(seed: number): {
  next(): number;
  below(count: number): number;
  pick<T>(of: readonly T[]): T;
} {
  let state = seed >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return { next, below, pick: (of) => of[below(of.length)] as never };
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const ranges: Readonly<Record<QuantizedDType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int4: [-8, 7],
  uint4: [0, 15],
};

function integers(dtype: QuantizedDType, shape: readonly number[], values: readonly number[]): Tensor {
  switch (dtype) {
    case "int8":
      return tensor(dtype, shape, Int8Array.from(values));
    case "uint8":
      return tensor(dtype, shape, Uint8Array.from(values));
    case "int16":
      return tensor(dtype, shape, Int16Array.from(values));
    case "uint16":
      return tensor(dtype, shape, Uint16Array.from(values));
    case "int4":
      return tensor(dtype, shape, packInt4(Int8Array.from(values)));
    case "uint4":
      return tensor(dtype, shape, packInt4(Uint8Array.from(values)));
    default:
      return dtype satisfies never;
  }
}

async function compare(cases: readonly Case[], opset: number): Promise<void> {
  const initializers = [];
  const nodes = [];
  const outputs = [];
  for (const [index, { op, inputs, attributes, expected }] of cases.entries()) {
    const names = inputs.map((input, at) => (input === undefined ? "" : `i${index}_${at}`));
    for (const [at, input] of inputs.entries()) {
      if (input !== undefined) initializers.push(tensorToProto(input, names[at] as string));
    }
    const made = expected.map((_, at) => `o${index}_${at}`);
    nodes.push(makeNode(op, names, made, { attributes: attributes ?? {} }));
    for (const [at, { dtype }] of expected.entries()) outputs.push(makeValueInfo(`o${index}_${at}`, dtype));
  }
  // A model wants an input; nobody reads it.
  const inputs = [makeValueInfo("unused", "float32", [1])];
  const graph = makeGraph("cases", { nodes, inputs, outputs, initializers });
  const model = makeModel(graph, { opsets: { "": opset }, irVersion: opset >= 21 ? 10 : 8 });
  const session = await openSession(model, { optimization: "none" });
  try {
    const results = await session.run({ unused: tensor("float32", [1], new Float32Array(1)) });
    for (const [index, { op, inputs: given, attributes, expected, tolerance = 0 }] of cases.entries()) {
      for (const [at, tensorOfCore] of expected.entries()) {
        const got = results[`o${index}_${at}`] as Tensor;
        const about = `${op} ${JSON.stringify(attributes ?? {})} ${given.map((t) => `${t?.dtype}[${t?.shape.join()}]`).join(" ")}`;
        expect(got.dtype, about).toBe(tensorOfCore.dtype);
        expect(got.shape, about).toEqual(tensorOfCore.shape);
        const [wanted, found] = [toFloat32(tensorOfCore), toFloat32(got)];
        let worst = 0;
        for (let i = 0; i < wanted.length; i++) {
          worst = Math.max(worst, Math.abs((wanted[i] as number) - (found[i] as number)));
        }
        expect(worst, about).toBeLessThanOrEqual(tolerance);
      }
    }
  } finally {
    await session.close();
  }
}

interface Groups {
  readonly granularity: Granularity;
  readonly shape: readonly number[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

function groupsOf(shape: readonly number[], r: ReturnType<typeof random>, blocks: boolean): Groups {
  const axis = r.below(shape.length) - (r.below(2) === 0 ? shape.length : 0);
  const at = axis < 0 ? axis + shape.length : axis;
  // The runtime takes one scale for a whole tensor's, and a vector of them for a channel's, whatever block_size says.
  const kind = r.below(blocks && shape.length > 1 && sizeOf(shape) > (shape[at] as number) ? 3 : 2);
  if (kind === 0) return { granularity: perTensor, shape: [], attributes: {} };
  if (kind === 1) {
    return { granularity: perChannel(axis), shape: [shape[at] as number], attributes: { axis } };
  }
  const blockSize = 1 + r.below((shape[at] as number) + 1);
  const groupShape = shape.with(at, Math.ceil((shape[at] as number) / blockSize));
  return {
    granularity: perBlock(axis, blockSize),
    shape: groupShape,
    attributes: { axis, block_size: blockSize },
  };
}

function linearCases(seed: number, dtypes: readonly QuantizedDType[], blocks: boolean): Case[] {
  const r = random(seed);
  const cases: Case[] = [];
  for (let k = 0; k < 150; k++) {
    const dtype = r.pick(dtypes);
    const [low, high] = ranges[dtype];
    const shape = Array.from({ length: 1 + r.below(4) }, () => 1 + r.below(6));
    const groups = groupsOf(shape, r, blocks);
    const count = sizeOf(groups.shape);
    const scale = Float32Array.from({ length: count }, () => 10 ** (r.next() * 6 - 4));
    const zeros = Array.from({ length: count }, () => low + r.below(high - low + 1));
    const p = { dtype, granularity: groups.granularity, scale, zeroPoint: Int32Array.from(zeros) };
    const span = (high - low) * (scale[0] as number);
    const values = Float32Array.from({ length: sizeOf(shape) }, () =>
      // A third are exact ties of the first scale, a few far outside the range.
      r.below(3) === 0
        ? (r.below(9) - 4.5) * (scale[0] as number)
        : (r.next() - 0.5) * span * (r.below(9) === 0 ? 50 : 1),
    );
    const x = tensor("float32", shape, values);
    const q = quantizeLinear(x, p);
    const scaleTensor = tensor("float32", groups.shape, scale);
    const zeroTensor = integers(dtype, groups.shape, zeros);
    const { attributes } = groups;
    cases.push({ op: "QuantizeLinear", inputs: [x, scaleTensor, zeroTensor], attributes, expected: [q] });
    const expected = [dequantizeLinear(q, p)];
    cases.push({ op: "DequantizeLinear", inputs: [q, scaleTensor, zeroTensor], attributes, expected });
  }
  return cases;
}

describe("core's arithmetic and the runtime's kernels", () => {
  it("QuantizeLinear and DequantizeLinear, one scale or one a channel (opset 13)", async () => {
    await compare(linearCases(13, ["int8", "uint8"], false), 13);
  });

  it("also of 4 and 16 bits, and in blocks (opset 21)", async () => {
    await compare(linearCases(21, ["int8", "uint8", "int16", "uint16", "int4", "uint4"], true), 21);
  });

  it("DynamicQuantizeLinear: one sign, one value, zeros, ties, the smallest and the largest", async () => {
    const r = random(11);
    const special = [
      [0, 0],
      [3],
      [-3],
      [-1, 2],
      [0.5, 1.5, 2.5],
      [1e-30, -1e-30],
      [2e38, -1e38],
      [-0],
      [255, 0.5, 1.5, 2.5, 3.5],
    ];
    const lists = [
      ...special,
      ...Array.from({ length: 200 }, () => {
        const size = 10 ** (r.next() * 8 - 4);
        const shift = r.below(3) - 1;
        return Array.from({ length: 1 + r.below(20) }, () => (r.next() - 0.5 + shift) * size);
      }),
    ];
    const cases = lists.map((list): Case => {
      const x = tensor("float32", [list.length], Float32Array.from(list));
      const { y, scale, zeroPoint } = dynamicQuantizeLinear(x);
      const expected = [
        y,
        tensor("float32", [], Float32Array.of(scale)),
        tensor("uint8", [], Uint8Array.of(zeroPoint)),
      ];
      return { op: "DynamicQuantizeLinear", inputs: [x], expected };
    });
    await compare(cases, 13);
  });

  it("MatMulInteger and QLinearMatMul: batches that broadcast, zero points of one and of each column", async () => {
    const r = random(5);
    const cases: Case[] = [];
    for (let k = 0; k < 120; k++) {
      const [M, K, N] = [1 + r.below(5), 1 + r.below(9), 1 + r.below(7)];
      const [outer, inner] = [1 + r.below(3), 1 + r.below(3)];
      const leads = [[], [inner], [outer, inner], [outer, 1], [1, inner]];
      const [leadA, leadB] = [r.pick(leads), r.pick(leads)];
      // The runtime has no kernel for int8 times uint8.
      const typeB = r.pick(["int8", "uint8"] as const);
      const typeA = typeB === "uint8" ? "uint8" : r.pick(["int8", "uint8"] as const);
      const any = (
        dtype: "int8" | "uint8",
        shape: readonly number[],
        [low, high] = ranges[dtype],
      ): Tensor<"int8" | "uint8"> => {
        const values = Array.from({ length: sizeOf(shape) }, () => low + r.below(high - low + 1));
        return integers(dtype, shape, values) as Tensor<"int8" | "uint8">;
      };
      const a = any(typeA, [...leadA, M, K]);
      // Uint8 times int8 is exact on every processor only while pairs of weights stay within 128.
      const isSevenBits = typeA === "uint8" && typeB === "int8";
      const b = any(typeB, [...leadB, K, N], isSevenBits ? [-64, 64] : ranges[typeB]);
      const aZero = any(typeA, []);
      const bZero = any(typeB, r.below(2) === 0 || leadB.length > 0 ? [] : [N]);
      const points = (t: Tensor): Int32Array => Int32Array.from(toFloat32(t));
      cases.push({
        op: "MatMulInteger",
        inputs: [a, b, aZero, bZero],
        expected: [matMulInteger(a, b, { a: points(aZero), b: points(bZero) })],
      });
      const aScale = Float32Array.of(0.01 + r.next());
      const bScale = Float32Array.from({ length: bZero.data.length }, () => 0.01 + r.next());
      const yScale = Float32Array.of(K * (1 + r.next() * 100));
      const typeY = typeA;
      const yZero = any(typeY, []);
      cases.push({
        op: "QLinearMatMul",
        inputs: [
          a,
          tensor("float32", [], aScale),
          aZero,
          b,
          tensor("float32", bZero.shape, bScale),
          bZero,
          tensor("float32", [], yScale),
          yZero,
        ],
        expected: [
          qLinearMatMul(
            { values: a, scale: aScale, zeroPoint: points(aZero) },
            { values: b, scale: bScale, zeroPoint: points(bZero) },
            { dtype: typeY, scale: yScale[0] as number, zeroPoint: points(yZero)[0] as number },
          ),
        ],
        tolerance: 1,
      });
    }
    await compare(cases, 13);
  });

  it("ConvInteger and QLinearConv: groups, strides, dilations, paddings, one and two axes", async () => {
    const r = random(17);
    const cases: Case[] = [];
    for (let k = 0; k < 100; k++) {
      const axes = 1 + r.below(2);
      const group = 1 + r.below(3);
      const [channels, outs] = [group * (1 + r.below(2)), group * (1 + r.below(3))];
      const kernel = Array.from({ length: axes }, () => 1 + r.below(3));
      const strides = kernel.map(() => 1 + r.below(2));
      const autoPad = r.pick(["NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"] as const);
      // The runtime refuses dilations where it is to find the paddings itself.
      const dilations = kernel.map(() => (autoPad.startsWith("SAME") ? 1 : 1 + r.below(2)));
      const input = kernel.map((size, at) => (size - 1) * (dilations[at] as number) + 1 + r.below(5));
      const pads = Array.from({ length: 2 * axes }, () => r.below(3));
      const bytes = (shape: readonly number[]): Tensor<"uint8"> =>
        tensor(
          "uint8",
          shape,
          Uint8Array.from({ length: sizeOf(shape) }, () => r.below(256)),
        );
      const x = bytes([1 + r.below(2), channels, ...input]);
      const w = bytes([outs, channels / group, ...kernel]);
      const xZero = bytes([]);
      const wZero = bytes([]);
      const geometry = { autoPad, strides, dilations, group, ...(autoPad === "NOTSET" ? { pads } : {}) };
      const attributes = {
        auto_pad: autoPad,
        strides,
        dilations,
        group,
        kernel_shape: kernel,
        ...(autoPad === "NOTSET" ? { pads } : {}),
      };
      const [xPoint, wPoint] = [xZero.data[0] as number, wZero.data[0] as number];
      cases.push({
        op: "ConvInteger",
        inputs: [x, w, xZero, wZero],
        attributes,
        expected: [convInteger(x, w, { ...geometry, xZeroPoint: xPoint, wZeroPoint: [wPoint] })],
      });
      const wScale = Float32Array.from({ length: r.below(2) === 0 ? 1 : outs }, () => 0.01 + r.next());
      const wZeros = new Uint8Array(wScale.length).fill(wPoint);
      const shape = wScale.length === 1 ? [] : [outs];
      const bias = tensor(
        "int32",
        [outs],
        Int32Array.from({ length: outs }, () => r.below(20001) - 10000),
      );
      const yScale = 100 + r.next() * 900;
      const result = { dtype: "uint8", scale: Math.fround(yScale), zeroPoint: r.below(256) } as const;
      cases.push({
        op: "QLinearConv",
        inputs: [
          x,
          tensor("float32", [], Float32Array.of(0.5)),
          xZero,
          w,
          tensor("float32", shape, wScale),
          tensor("uint8", shape, wZeros),
          tensor("float32", [], Float32Array.of(yScale)),
          tensor("uint8", [], Uint8Array.of(result.zeroPoint)),
          bias,
        ],
        attributes,
        expected: [
          qLinearConv(
            { values: x, scale: Float32Array.of(0.5), zeroPoint: Int32Array.of(xPoint) },
            { values: w, scale: wScale, zeroPoint: Int32Array.from(wZeros) },
            { ...geometry, ...result, bias },
          ),
        ],
        tolerance: 1,
      });
    }
    await compare(cases, 13);
  });

  it("Cast between every two types of numbers that a session can give back", async () => {
    const r = random(3);
    const types: DType[] = [
      "float32",
      "float64",
      "float16",
      "int8",
      "uint8",
      "int16",
      "uint16",
      "int32",
      "int64",
    ];
    const cases: Case[] = [];
    const values = [
      0,
      1,
      -1,
      0.5,
      1.5,
      2.5,
      -2.5,
      100.25,
      65504,
      1e-8,
      -3e-5,
      127,
      ...Array.from({ length: 20 }, () => r.next() * 100),
    ];
    const source = tensor("float32", [values.length], Float32Array.from(values));
    const codes: Partial<Record<DType, number>> = {
      float32: 1,
      uint8: 2,
      int8: 3,
      uint16: 4,
      int16: 5,
      int32: 6,
      int64: 7,
      float16: 10,
      float64: 11,
    };
    for (const from of types) {
      // What both ends hold: how a negative or a large number turns into an integer that has it not is left to the
      // machine.
      const small = tensor("float32", [8], Float32Array.of(0, 1, 1.75, 2.5, 99.5, 100, 120, 3));
      for (const to of types) {
        const isFloat = [from, to].every((type) => type.startsWith("float"));
        const x = cast(isFloat ? source : small, from);
        cases.push({
          op: "Cast",
          inputs: [x],
          attributes: { to: codes[to] as number },
          expected: [cast(x, to)],
        });
      }
    }
    await compare(cases, 13);
  });
});
