import {
  floatAttribute,
  intAttribute,
  intsAttribute,
  type NodeProto,
  stringAttribute,
} from "@nasty/formats/onnx";
import { alongAxis, at, build, mapAll, matmul, nd, type Nd, read, reduce, size, transpose } from "./array.js";
import { conv } from "./conv.js";
import { lstm } from "./lstm.js";
import type { Operator } from "./operator.js";

const numbers = (x: Nd | undefined): number[] => Array.from(x?.data ?? []);
const unary =
  (f: (x: number) => number): Operator =>
  (_, [x]) => [mapAll([x as Nd], ([v]) => f(v as number))];
const binary =
  (f: (a: number, b: number) => number): Operator =>
  (_, [a, b]) => [mapAll([a as Nd, b as Nd], ([x, y]) => f(x as number, y as number))];
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const axisOf = (node: NodeProto, fallback: number, rank: number): number => {
  const axis = intAttribute(node, "axis", fallback);
  return axis < 0 ? axis + rank : axis;
};

/** Abramowitz and Stegun 7.1.5 (series) and 7.1.14 (continued fraction): exact to about 1e-15. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    let [term, total] = [a, a];
    for (let n = 1; n < 80; n++) {
      term *= (-a * a) / n;
      total += term / (2 * n + 1);
    }
    return Math.sign(x) * total * (2 / Math.sqrt(Math.PI));
  }
  let fraction = a;
  for (let k = 60; k > 0; k--) fraction = a + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * fraction));
}

const reduction =
  (f: (values: number[]) => number): Operator =>
  (node, [x, axes]) => [
    reduce(x as Nd, { axes: numbers(axes), keep: intAttribute(node, "keepdims", 1) === 1, f }),
  ];

const reshape: Operator = (_, [x, shape]) => {
  const target = numbers(shape).map((length, i) => (length === 0 ? ((x as Nd).shape[i] as number) : length));
  const known = size(target.filter((length) => length !== -1));
  return [
    nd(
      target.map((length) => (length === -1 ? (x as Nd).data.length / known : length)),
      (x as Nd).data,
    ),
  ];
};

const slice: Operator = (_, [x, starts, ends, axes, steps]) => {
  const source = x as Nd;
  const picks = source.shape.map((length) => Array.from({ length }, (__, i) => i));
  for (const [i, start] of numbers(starts).entries()) {
    const raw = axes === undefined ? i : at(axes, i);
    const axis = raw < 0 ? raw + source.shape.length : raw;
    const step = steps === undefined ? 1 : at(steps, i);
    const length = source.shape[axis] as number;
    const clamp = (value: number, low: number, high: number): number =>
      Math.min(Math.max(value < 0 ? value + length : value, low), high);
    const from = step > 0 ? clamp(start, 0, length) : clamp(start, 0, length - 1);
    const to = step > 0 ? clamp(at(ends as Nd, i), 0, length) : clamp(at(ends as Nd, i), -1, length - 1);
    const taken: number[] = [];
    for (let k = from; step > 0 ? k < to : k > to; k += step) taken.push(k);
    picks[axis] = taken;
  }
  return [
    build(
      picks.map((taken) => taken.length),
      (index) =>
        read(
          source,
          index.map((k, d) => (picks[d] as number[])[k] as number),
        ),
    ),
  ];
};

const concat: Operator = (node, inputs) => {
  const parts = inputs as readonly Nd[];
  const first = parts[0] as Nd;
  const axis = axisOf(node, 0, first.shape.length);
  const lengths = parts.map(({ shape }) => shape[axis] as number);
  return [
    build(
      first.shape.map((length, d) => (d === axis ? sum(lengths) : length)),
      (index) => {
        let [k, part] = [index[axis] as number, 0];
        while (k >= (lengths[part] as number)) k -= lengths[part++] as number;
        return read(
          parts[part] as Nd,
          index.map((v, d) => (d === axis ? k : v)),
        );
      },
    ),
  ];
};

const split: Operator = (node, [x, sizes]) => {
  const source = x as Nd;
  const axis = axisOf(node, 0, source.shape.length);
  const count = intAttribute(node, "num_outputs", node.output.length);
  const length = source.shape[axis] as number;
  const even = Math.ceil(length / count);
  const lengths =
    sizes === undefined
      ? Array.from({ length: count }, (_, i) => Math.min(even, length - i * even))
      : numbers(sizes);
  let start = 0;
  return lengths.map((own) => {
    const offset = start;
    start += own;
    return build(
      source.shape.map((l, d) => (d === axis ? own : l)),
      (index) =>
        read(
          source,
          index.map((v, d) => (d === axis ? v + offset : v)),
        ),
    );
  });
};

const gather: Operator = (node, [x, indices]) => {
  const [source, picks] = [x as Nd, indices as Nd];
  const axis = axisOf(node, 0, source.shape.length);
  const rank = picks.shape.length;
  return [
    build([...source.shape.slice(0, axis), ...picks.shape, ...source.shape.slice(axis + 1)], (index) => {
      const raw = read(picks, index.slice(axis, axis + rank));
      const k = raw < 0 ? raw + (source.shape[axis] as number) : raw;
      return read(source, [...index.slice(0, axis), k, ...index.slice(axis + rank)]);
    }),
  ];
};

const gatherElements: Operator = (node, [x, indices]) => {
  const source = x as Nd;
  const axis = axisOf(node, 0, source.shape.length);
  return [
    build((indices as Nd).shape, (index) => {
      const raw = read(indices as Nd, index);
      const k = raw < 0 ? raw + (source.shape[axis] as number) : raw;
      return read(
        source,
        index.map((v, d) => (d === axis ? k : v)),
      );
    }),
  ];
};

const softmax = (values: number[]): number[] => {
  const max = Math.max(...values);
  const exps = values.map((v) => Math.exp(v - max));
  return exps.map((e) => e / sum(exps));
};

const layerNormalization: Operator = (node, [x, scale, bias]) => {
  const source = x as Nd;
  const axis = axisOf(node, -1, source.shape.length);
  const width = size(source.shape.slice(axis));
  const epsilon = floatAttribute(node, "epsilon", 1e-5);
  const out = new Float64Array(source.data.length);
  for (let k = 0; k < out.length; k += width) {
    const row = source.data.subarray(k, k + width);
    const mean = sum(Array.from(row)) / width;
    const deviation = Math.sqrt(sum(Array.from(row, (v) => (v - mean) ** 2)) / width + epsilon);
    for (let j = 0; j < width; j++) {
      out[k + j] =
        (((row[j] as number) - mean) / deviation) * at(scale as Nd, j) +
        (bias === undefined ? 0 : at(bias, j));
    }
  }
  return [nd(source.shape, out)];
};

const gemm: Operator = (node, [a, b, c]) => {
  const op = (x: Nd, name: string): Nd => (intAttribute(node, name, 0) === 1 ? transpose(x, [1, 0]) : x);
  const product = matmul(op(a as Nd, "transA"), op(b as Nd, "transB"));
  const [alpha, beta] = [floatAttribute(node, "alpha", 1), floatAttribute(node, "beta", 1)];
  return [
    c === undefined
      ? mapAll([product], ([v]) => alpha * (v as number))
      : mapAll([product, c], ([v, w]) => alpha * (v as number) + beta * (w as number)),
  ];
};

const pad: Operator = (_, [x, pads, value]) => {
  const source = x as Nd;
  const amounts = numbers(pads);
  const rank = source.shape.length;
  return [
    build(
      source.shape.map((l, d) => l + (amounts[d] as number) + (amounts[d + rank] as number)),
      (index) => {
        const inner = index.map((v, d) => v - (amounts[d] as number));
        const inside = inner.every((v, d) => v >= 0 && v < (source.shape[d] as number));
        return inside ? read(source, inner) : value === undefined ? 0 : at(value, 0);
      },
    ),
  ];
};

const squeeze: Operator = (_, [x, axes]) => {
  const { shape, data } = x as Nd;
  const drop = new Set(numbers(axes).map((a) => (a < 0 ? a + shape.length : a)));
  return [
    nd(
      shape.filter((l, d) => (axes === undefined ? l !== 1 : !drop.has(d))),
      data,
    ),
  ];
};

const unsqueeze: Operator = (_, [x, axes]) => {
  const { shape, data } = x as Nd;
  const rank = shape.length + (axes as Nd).data.length;
  const out = [...shape];
  for (const axis of numbers(axes)
    .map((a) => (a < 0 ? a + rank : a))
    .sort((a, b) => a - b))
    out.splice(axis, 0, 1);
  return [nd(out, data)];
};

const gelu: Operator = (node, [x]) => [
  mapAll([x as Nd], ([v = 0]) =>
    stringAttribute(node, "approximate", "none") === "tanh"
      ? 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3)))
      : 0.5 * v * (1 + erf(v * Math.SQRT1_2)),
  ),
];

export const operators: Readonly<Record<string, Operator>> = {
  MatMul: (_, [a, b]) => [matmul(a as Nd, b as Nd)],
  Gemm: gemm,
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Pow: binary((a, b) => a ** b),
  Sum: (_, inputs) => [mapAll(inputs as Nd[], sum)],
  Max: (_, inputs) => [mapAll(inputs as Nd[], (values) => Math.max(...values))],
  Min: (_, inputs) => [mapAll(inputs as Nd[], (values) => Math.min(...values))],
  Where: (_, [c, a, b]) => [mapAll([c as Nd, a as Nd, b as Nd], ([k, x, y]) => (k ? x : y) as number)],
  Clip: (_, [x, low, high]) => [
    mapAll([x as Nd], ([v = 0]) =>
      Math.min(
        Math.max(v, low === undefined ? -Infinity : at(low, 0)),
        high === undefined ? Infinity : at(high, 0),
      ),
    ),
  ],
  Identity: (_, [x]) => [x as Nd],
  Cast: (_, [x]) => [x as Nd],
  Dropout: (_, [x]) => [x as Nd],
  Neg: unary((x) => -x),
  Abs: unary(Math.abs),
  Sqrt: unary(Math.sqrt),
  Reciprocal: unary((x) => 1 / x),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Erf: unary(erf),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Tanh: unary(Math.tanh),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Relu: unary((x) => Math.max(x, 0)),
  LeakyRelu: (node, [x]) => [
    mapAll([x as Nd], ([v = 0]) => (v > 0 ? v : floatAttribute(node, "alpha", 0.01) * v)),
  ],
  PRelu: binary((x, slope) => (x > 0 ? x : slope * x)),
  Softplus: unary((x) => Math.log1p(Math.exp(x))),
  Gelu: gelu,
  Softmax: (node, [x]) => [alongAxis(x as Nd, intAttribute(node, "axis", -1), softmax)],
  LogSoftmax: (node, [x]) => [
    alongAxis(x as Nd, intAttribute(node, "axis", -1), (v) => softmax(v).map(Math.log)),
  ],
  LayerNormalization: layerNormalization,
  ReduceSum: reduction(sum),
  ReduceMean: reduction((values) => sum(values) / values.length),
  ReduceMax: reduction((values) => Math.max(...values)),
  ReduceMin: reduction((values) => Math.min(...values)),
  Reshape: reshape,
  Flatten: (node, [x]) => {
    const { shape, data } = x as Nd;
    const axis = axisOf(node, 1, shape.length);
    return [nd([size(shape.slice(0, axis)), size(shape.slice(axis))], data)];
  },
  Transpose: (node, [x]) => [
    transpose(
      x as Nd,
      intsAttribute(
        node,
        "perm",
        (x as Nd).shape.map((_, i, all) => all.length - 1 - i),
      ),
    ),
  ],
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Expand: (_, [x, shape]) => [
    mapAll([x as Nd, nd(numbers(shape), new Float64Array(size(numbers(shape))))], ([v]) => v as number),
  ],
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Gather: gather,
  GatherElements: gatherElements,
  Conv: conv,
  LSTM: lstm,
};
