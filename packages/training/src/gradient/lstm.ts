import { castTo, type GradientWriter } from "./gradient-writer.js";
import { scan } from "./scan.js";

export interface LstmSizes {
  /** Features of an input element. */
  readonly width: number;
  readonly hidden: number;
  readonly sides: number;
}

export interface Direction {
  readonly backwards: boolean;
  /** 1 for steps inside the sequence, 0 for padding: [T, B, 1]. */
  readonly mask: string | undefined;
  /** Lengths if the sequences are to be reversed in place and then walked forwards. */
  readonly reverseLengths: string | undefined;
  /** 1 at the step that is walked last: [T, B, 1] or [T, 1, 1]. */
  readonly end: string;
}

/** What the backward pass needs of the forward pass of one direction. */
export interface LstmTape {
  readonly sizes: LstmSizes;
  readonly direction: Direction;
  /** Inputs as rows [T·B, I]. */
  readonly rows: string;
  readonly x: string;
  readonly weights: { readonly W: string; readonly R: string; readonly B: string | undefined };
  readonly h0: string;
  readonly c0: string;
  /**
   * Hidden states in the order walked [T, B, H], and cell states, their hyperbolic tangents, gates i o f, candidates.
   */
  readonly hs: string;
  readonly cs: string;
  readonly tanhC: string;
  readonly gates: string;
  readonly candidate: string;
  /** Hidden states in the order of the input [T, B, H]. */
  readonly y: string;
  lastH(): string;
  lastC(): string;
}

export interface LstmGradients {
  readonly x?: string | undefined;
  readonly W?: string | undefined;
  readonly R?: string | undefined;
  readonly B?: string | undefined;
  readonly h?: string | undefined;
  readonly c?: string | undefined;
}

/** 0, 1, 2, … along the first dimension of x, as [T, 1]. */
function stepNumbers(writer: GradientWriter, x: string): string {
  const count = writer.op("Squeeze", [writer.dimension(x, 0)]);
  const range = writer.op("Range", [writer.scalar(0, "int64"), count, writer.scalar(1, "int64")]);
  return writer.op("Unsqueeze", [range, writer.ints([1])]);
}

function asMask(writer: GradientWriter, test: string): string {
  return writer.op("Unsqueeze", [writer.op("Cast", [test], castTo("float32")), writer.ints([2])]);
}

/** 1 for steps before the end of each sequence, else 0: [T, B, 1]. */
export function stepMask(writer: GradientWriter, x: string, lengths: string): string {
  const wide = writer.op("Cast", [lengths], castTo("int64"));
  return asMask(writer, writer.op("Less", [stepNumbers(writer, x), wide]));
}

/** 1 at the last step walked, else 0. */
export function endMask(
  writer: GradientWriter,
  x: string,
  { lengths, backwards }: { readonly lengths: string; readonly backwards: boolean },
): string {
  const one = writer.ints([1]);
  const last = backwards
    ? writer.ints([0])
    : lengths === ""
      ? writer.op("Sub", [writer.dimension(x, 0), one])
      : writer.op("Sub", [writer.op("Cast", [lengths], castTo("int64")), one]);
  return asMask(writer, writer.op("Equal", [stepNumbers(writer, x), last]));
}

function reverse(writer: GradientWriter, name: string, { reverseLengths }: Direction): string {
  if (reverseLengths === undefined) return name;
  const lengths = writer.op("Cast", [reverseLengths], castTo("int64"));
  return writer.op("ReverseSequence", [name, lengths], { time_axis: 0, batch_axis: 1 });
}

const walksBack = ({ backwards, reverseLengths }: Direction): boolean =>
  backwards && reverseLengths === undefined;

export interface LstmForwardFields {
  readonly sizes: LstmSizes;
  readonly x: string;
  readonly weights: LstmTape["weights"];
  readonly initial: { readonly h: string | undefined; readonly c: string | undefined };
  readonly direction: Direction;
}

/**
 * One direction: i, o, f = σ(Wx + Rh + b), g = tanh(Wx + Rh + b), c = f·c₋₁ + i·g, h = o·tanh c, gates in the order i o
 * f c.
 *
 * Wx of all steps is one product before the loop. Padding has its gates multiplied by 0, which makes h and c
 * exactly 0 there, and so are all of the derivatives that follow from the gates.
 *
 * Source: ONNX 1.22, operator LSTM version 22; S. Hochreiter and J. Schmidhuber (1997), with forget gate.
 */
export function lstmForward(writer: GradientWriter, fields: LstmForwardFields): LstmTape {
  const { sizes, weights, direction, initial } = fields;
  const { hidden, width } = sizes;
  const { op } = writer;
  const x = reverse(writer, fields.x, direction);
  const rows = op("Reshape", [x, writer.ints([-1, width])]);
  const bias =
    weights.B &&
    op("ReduceSum", [op("Reshape", [weights.B, writer.ints([2, 4 * hidden])]), writer.ints([0])], {
      keepdims: 0,
    });
  const projected = op("Gemm", bias === undefined ? [rows, weights.W] : [rows, weights.W, bias], {
    transB: 1,
  });
  const steps = op("Shape", [fields.x], { start: 0, end: 2 });
  const sequence = op("Reshape", [projected, op("Concat", [steps, writer.ints([4 * hidden])], { axis: 0 })]);
  const recurrent = op("Transpose", [weights.R], { perm: [1, 0] });
  const zeroState = (): string => {
    const shape = op("Concat", [writer.dimension(fields.x, 1), writer.ints([hidden])], { axis: 0 });
    return op("ConstantOfShape", [shape], {
      value: { dtype: "float32", shape: [1], data: new Float32Array(1) },
    });
  };
  const zero = initial.h === undefined || initial.c === undefined ? zeroState() : "";
  const [h0, c0] = [initial.h ?? zero, initial.c ?? zero];
  const sizesOfSplit = writer.ints([3 * hidden, hidden]);

  const loop = scan(writer, {
    states: [h0, c0],
    sequences: direction.mask === undefined ? [sequence] : [sequence, direction.mask],
    backwards: walksBack(direction),
    step: (body, { states: [h = "", cell = ""], elements: [xp = "", m] }) => {
      const all = body.op("Gemm", [h, recurrent, xp]);
      const [three, last] = body.ops("Split", [all, sizesOfSplit], 2, { axis: 1 });
      const open = body.op("Sigmoid", [three]);
      const gates = m === undefined ? open : body.op("Mul", [open, m]);
      const [i, o, f] = body.ops("Split", [gates], 3, { axis: 1, num_outputs: 3 });
      const candidate = body.op("Tanh", [last]);
      const next = body.op("Add", [body.op("Mul", [f, cell]), body.op("Mul", [i, candidate])]);
      const tanhC = body.op("Tanh", [next]);
      return { states: [body.op("Mul", [o, tanhC]), next], outputs: [next, gates, candidate] };
    },
  });
  const [cs = "", gates = "", candidate = ""] = loop.outputs;
  // Of all steps at once: cheaper than to collect them step by step.
  const tanhC = op("Tanh", [cs]);
  const [, outputGate = ""] = writer.ops("Split", [gates], 3, { axis: 2, num_outputs: 3 });
  const hs = op("Mul", [outputGate, tanhC]);
  // Without padding, or on the way back, the last step walked is the last one of the loop.
  const last = (sequenceOf: string, state: number): string =>
    direction.mask === undefined || walksBack(direction)
      ? (loop.states[state] as string)
      : op("ReduceSum", [op("Mul", [sequenceOf, endOf(writer, direction, fields.x)]), writer.ints([0])], {
          keepdims: 0,
        });
  return {
    sizes,
    direction,
    rows,
    x: fields.x,
    weights,
    h0,
    c0,
    hs,
    cs,
    tanhC,
    gates,
    candidate,
    y: reverse(writer, hs, direction),
    lastH: () => last(hs, 0),
    lastC: () => last(cs, 1),
  };
}

/** The end mask in the order walked: reversed sequences end where forward ones do. */
function endOf(writer: GradientWriter, direction: Direction, x: string): string {
  if (direction.reverseLengths === undefined) return direction.end;
  return endMask(writer, x, { lengths: direction.reverseLengths, backwards: false });
}

export interface LstmBackwardFields {
  /** Gradient of the hidden states of this side in the order of the input [T, B, H]. */
  readonly dY: string | undefined;
  /** Gradients of the last states [B, H]. */
  readonly last: { readonly h: string | undefined; readonly c: string | undefined };
  /** Whether input i of the operator needs a gradient. */
  readonly needs: (input: number) => boolean;
}

/**
 * Backward through time. With the pre-activations' gradient at a step δ = [dc·g·i(1−i), dh·tanh(c)·o(1−o),
 * dc·c₋₁·f(1−f), dc·i(1−g²)]: dh = dy + δ₊₁·R, dc = dh·o(1−tanh²c) + dc₊₁·f₊₁.
 *
 * All factors that do not depend on dh are computed for all steps at once before the loop, and the gradients of W, R, b
 * and x as one product each after it; the loop itself has one product and five elementwise nodes a step.
 */
export function lstmBackward(
  writer: GradientWriter,
  tape: LstmTape,
  fields: LstmBackwardFields,
): LstmGradients {
  const { op } = writer;
  const { direction, weights, hs, cs, tanhC, gates, candidate, sizes } = tape;
  const one = writer.scalar(1);
  const [i, o, f] = writer.ops("Split", [gates], 3, { axis: 2, num_outputs: 3 });
  const slopes = op("Mul", [gates, op("Sub", [one, gates])]);
  const before = (states: string, initial: string): string =>
    shifted(writer, { states, initial, back: walksBack(direction) });
  const factors = op("Concat", [candidate, tanhC, before(cs, tape.c0)], { axis: 2 });
  const candidateSlope = op("Mul", [i, op("Sub", [one, op("Mul", [candidate, candidate])])]);
  const A = op("Concat", [op("Mul", [slopes, factors]), candidateSlope], { axis: 2 });
  const K = op("Mul", [o, op("Sub", [one, op("Mul", [tanhC, tanhC])])]);

  const end = endOf(writer, direction, tape.x);
  const atEnd = (name: string): string => op("Mul", [end, name]);
  const parts = [
    ...(fields.dY === undefined ? [] : [reverse(writer, fields.dY, direction)]),
    ...(fields.last.h === undefined ? [] : [atEnd(fields.last.h)]),
  ];
  const dh = parts.length === 0 ? writer.zerosLike(hs) : writer.sum(parts);
  const dcEnd = fields.last.c === undefined ? undefined : atEnd(fields.last.c);
  const zero = op("Mul", [tape.c0, writer.scalar(0)]);
  const zeros = op("Concat", [zero, zero, zero, zero], { axis: 1 });

  const loop = scan(writer, {
    states: [zeros, zero],
    sequences: [dh, K, A, f, ...(dcEnd === undefined ? [] : [dcEnd])],
    backwards: !walksBack(direction),
    step: (
      body,
      { states: [delta = "", carried = ""], elements: [dy = "", k = "", a = "", forget = "", extra] },
    ) => {
      const dhAll = body.op("Gemm", [delta, weights.R, dy]);
      const through = body.op("Add", [body.op("Mul", [dhAll, k]), carried]);
      const dc = extra === undefined ? through : body.op("Add", [through, extra]);
      const next = body.op("Mul", [body.op("Concat", [dc, dhAll, dc, dc], { axis: 1 }), a]);
      return { states: [next, body.op("Mul", [dc, forget])], outputs: [next] };
    },
  });
  const delta = op("Reshape", [loop.outputs[0] as string, writer.ints([-1, 4 * sizes.hidden])]);
  const dx = (): string => {
    const rows = op("MatMul", [delta, weights.W]);
    return reverse(writer, op("Reshape", [rows, writer.shape(tape.x)]), direction);
  };
  const dR = (): string => {
    const previous = op("Reshape", [before(hs, tape.h0), writer.ints([-1, sizes.hidden])]);
    return writer.matmul(delta, previous, { transA: true });
  };
  const dB = (): string => {
    const sum = op("ReduceSum", [delta, writer.ints([0])], { keepdims: 0 });
    return op("Concat", [sum, sum], { axis: 0 });
  };
  return {
    x: fields.needs(0) ? dx() : undefined,
    W: fields.needs(1) ? writer.matmul(delta, tape.rows, { transA: true }) : undefined,
    R: fields.needs(2) ? dR() : undefined,
    B: fields.needs(3) ? dB() : undefined,
    h: fields.needs(5) ? op("MatMul", [loop.states[0] as string, weights.R]) : undefined,
    c: fields.needs(6) ? (loop.states[1] as string) : undefined,
  };
}

/**
 * The state that each step started from: the states moved by one step, the initial one at the end where the walk began.
 */
function shifted(
  writer: GradientWriter,
  { states, initial, back }: { states: string; initial: string; back: boolean },
): string {
  const first = writer.op("Unsqueeze", [initial, writer.ints([0])]);
  const [start, end] = back ? [1, Number.MAX_SAFE_INTEGER] : [0, -1];
  const others = writer.op("Slice", [states, writer.ints([start]), writer.ints([end]), writer.ints([0])]);
  return writer.op("Concat", back ? [others, first] : [first, others], { axis: 0 });
}
