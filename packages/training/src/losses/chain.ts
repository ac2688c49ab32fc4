import type { NodeWriter } from "@nasty/graph";
import { castTo } from "../gradient/gradient-writer.js";
import { scan } from "../gradient/scan.js";
import type { ChainLoss, LossContext, LossNodes, SoftChainLoss } from "./loss.js";

/**
 * Emits the forward and backward recursions of the chain and the gradients, which are expected minus observed counts;
 * what a teacher expects is observed with a {@link SoftChainLoss}.
 *
 * α_t[j] = e_t[j] + log Σ_i exp(α_{t−1}[i] + A[i, j]); β_t[i] = log Σ_j exp(A[i, j] + e_{t+1}[j] + β_{t+1}[j]);
 * log Z = log Σ_j exp(α_last[j] + end[j]). Padded steps keep α and β as they were.
 */
export function chain(c: LossContext, loss: ChainLoss | SoftChainLoss): LossNodes {
  const { writer, weight } = c;
  const { op } = writer;
  const shape = c.dimensions(loss.emissions);
  const asFloat = (name: string): string => op("Cast", [name], castTo("float32"));
  const unsqueeze = (name: string, axis: number): string => op("Unsqueeze", [name, writer.ints([axis])]);
  const sum = (name: string, axes: readonly number[], keepdims = 0): string =>
    op("ReduceSum", [name, writer.ints(axes)], { keepdims });
  const timeFirst = (name: string): string => op("Transpose", [name], { perm: [1, 0, 2] });

  const slice = (name: string, from: number, to: number): string =>
    op("Slice", [name, writer.ints([from]), writer.ints([to]), writer.ints([0])]);
  const end = Number.MAX_SAFE_INTEGER;
  const axes = { one: writer.ints([1]), two: writer.ints([2]) };
  // Everything time first: [T, B, …], as Scan walks along the first dimension.
  // One padded step behind the last: a Scan refuses a sequence without steps, which sentences of one word would have.
  const withPadding = (name: string): string =>
    op("Concat", [name, op("Mul", [slice(name, 0, 1), writer.scalar(0)])], { axis: 0 });
  const ofLabels = ({ labels: name, ignoreIndex = -100 }: ChainLoss): { counted: string; each: string } => {
    const labels = c.input(name, "int64", shape.slice(0, -1));
    const counted = op("Not", [op("Equal", [labels, writer.scalar(ignoreIndex, "int64")])]);
    const safe = op("Where", [counted, labels, writer.scalar(0, "int64")]);
    const depth = op("Squeeze", [writer.dimension(loss.emissions, -1)]);
    return { counted, each: op("OneHot", [safe, depth, writer.scalars([0, 1])], { axis: -1 }) };
  };
  const ofTeacher = ({ targets: name }: SoftChainLoss): { counted: string; each: string } => {
    const each = c.input(name, "float32", shape);
    return { counted: op("Greater", [sum(each, [2]), writer.scalar(0)]), each };
  };
  const { counted, each } = loss.kind === "crf" ? ofLabels(loss) : ofTeacher(loss);
  const valid = withPadding(timeFirst(unsqueeze(asFloat(counted), 2)));
  const observed = op("Mul", [withPadding(timeFirst(each)), valid]);
  const emissions = withPadding(timeFirst(loss.emissions));
  const later = slice(valid, 1, end);
  const afterLast = op("Sub", [
    valid,
    op("Concat", [later, op("Mul", [slice(valid, 0, 1), writer.scalar(0)])], { axis: 0 }),
  ]);

  const first = op("Add", [op("Squeeze", [slice(emissions, 0, 1), writer.ints([0])]), loss.start]);
  const into = op("Transpose", [loss.transitions], { perm: [1, 0] });
  const forward = scan(writer, {
    states: [first],
    sequences: [slice(emissions, 1, end), later],
    step: (body, { states: [alpha = ""], elements: [e = "", m = ""] }) => {
      const next = body.op("Add", [logSum(body, axes, { states: alpha, matrix: into }), e]);
      const kept = choose(body, writer, { mask: m, whenTrue: next, otherwise: alpha });
      return { states: [kept], outputs: [kept] };
    },
  });
  const alphas = op("Concat", [unsqueeze(first, 0), forward.outputs[0] as string], { axis: 0 });
  const logZ = op("ReduceLogSumExp", [op("Add", [forward.states[0] as string, loss.end]), writer.ints([1])], {
    keepdims: 1,
  });

  const lastBeta = op("Add", [op("Mul", [first, writer.scalar(0)]), loss.end]);
  const backward = scan(writer, {
    states: [lastBeta],
    sequences: [slice(emissions, 1, end), later],
    backwards: true,
    step: (body, { states: [beta = ""], elements: [e = "", m = ""] }) => {
      const next = logSum(body, axes, { states: body.op("Add", [beta, e]), matrix: loss.transitions });
      const kept = choose(body, writer, { mask: m, whenTrue: next, otherwise: beta });
      return { states: [kept], outputs: [kept] };
    },
  });
  const betas = op("Concat", [backward.outputs[0] as string, unsqueeze(lastBeta, 0)], { axis: 0 });

  const score = sum(op("Mul", [observed, emissions]), [0, 1, 2]);
  const labelCount = shape.at(-1);
  const fromTo =
    loss.kind === "crf"
      ? op("Einsum", [slice(observed, 0, -1), slice(observed, 1, end)], { equation: "tbi,tbj->ij" })
      : c.input(loss.pairs, "float32", [labelCount, labelCount]);
  const firstCounts = sum(slice(observed, 0, 1), [0, 1]);
  const lastCounts = sum(op("Mul", [observed, afterLast]), [0, 1]);
  const scores = [
    score,
    op("ReduceSum", [op("Mul", [fromTo, loss.transitions])], { keepdims: 0 }),
    op("ReduceSum", [op("Mul", [firstCounts, loss.start])], { keepdims: 0 }),
    op("ReduceSum", [op("Mul", [lastCounts, loss.end])], { keepdims: 0 }),
  ];
  const batch = asFloat(op("Squeeze", [writer.dimension(loss.emissions, 0)]));
  const present = op("Squeeze", [slice(valid, 0, 1), writer.ints([0])]);
  const total = op("ReduceSum", [op("Mul", [logZ, present])], { keepdims: 0 });
  const value = op("Div", [op("Sub", [total, writer.sum(scores)]), batch]);

  const factor = op("Div", [writer.scalar(weight), batch]);
  const marginal = op("Mul", [op("Exp", [op("Sub", [op("Add", [alphas, betas]), logZ])]), valid]);
  const difference = op("Mul", [op("Sub", [marginal, observed]), factor]);
  // Pairs [T − 1, B, i, j]: α_t[i] + A[i, j] + e_{t+1}[j] + β_{t+1}[j] − log Z.
  const left = unsqueeze(op("Sub", [slice(alphas, 0, -1), logZ]), 3);
  const right = unsqueeze(op("Add", [slice(emissions, 1, end), slice(betas, 1, end)]), 2);
  const pairs = op("Exp", [op("Add", [op("Add", [left, right]), loss.transitions])]);
  const expected = sum(op("Mul", [pairs, unsqueeze(later, 3)]), [0, 1]);
  const startDifference = sum(slice(difference, 0, 1), [0, 1]);
  const endDifference = sum(op("Mul", [difference, afterLast]), [0, 1]);
  return {
    value,
    gradients: [
      { tensor: loss.emissions, gradient: op("Transpose", [slice(difference, 0, -1)], { perm: [1, 0, 2] }) },
      { tensor: loss.transitions, gradient: op("Mul", [op("Sub", [expected, fromTo]), factor]) },
      { tensor: loss.start, gradient: startDifference },
      { tensor: loss.end, gradient: endDifference },
    ],
  };
}

/** log Σ_k exp(states[b, k] + matrix[j, k]) as [B, j]. */
function logSum(
  body: NodeWriter,
  { one, two }: { one: string; two: string },
  { states, matrix }: { states: string; matrix: string },
): string {
  const terms = body.op("Add", [body.op("Unsqueeze", [states, one]), matrix]);
  const max = body.op("ReduceMax", [terms, two], { keepdims: 1 });
  const sum = body.op("ReduceSum", [body.op("Exp", [body.op("Sub", [terms, max])]), two], { keepdims: 0 });
  return body.op("Add", [body.op("Log", [sum]), body.op("Squeeze", [max, two])]);
}

function choose(
  body: NodeWriter,
  { scalar }: { scalar: (value: number) => string },
  { mask, whenTrue, otherwise }: { mask: string; whenTrue: string; otherwise: string },
): string {
  return body.op("Where", [body.op("Greater", [mask, scalar(0)]), whenTrue, otherwise]);
}
