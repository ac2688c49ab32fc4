import type { Tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
} from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { buildTrainingGraph, type Loss, seededRandom, TrainingError } from "../../src/index.js";

const [B, T, C] = [2, 3, 4];
const random = seededRandom(3);
const logits = Array.from({ length: B * T * C }, () => random.normal());
const labels = [1, 3, -100, 0, 2, 2];
const labelTensor: Tensor = { dtype: "int64", shape: [B, T], data: BigInt64Array.from(labels, BigInt) };

/** A model whose weights are the logits themselves, and transitions for the chain. */
function modelOfLogits(): ModelProto {
  const extra = [
    makeTensor("A", "float32", {
      values: Array.from({ length: C * C }, () => random.normal()),
      shape: [C, C],
    }),
    makeTensor("start", "float32", { values: Array.from({ length: C }, () => random.normal()) }),
    makeTensor("end", "float32", { values: Array.from({ length: C }, () => random.normal()) }),
  ];
  const graph = makeGraph("logits", {
    nodes: [makeNode("Identity", ["W"], ["logits"])],
    inputs: [],
    outputs: [makeValueInfo("logits", "float32", [B, T, C])],
    initializers: [makeTensor("W", "float32", { values: logits, shape: [B, T, C] }), ...extra],
  });
  return makeModel(graph);
}
const model = modelOfLogits();

async function run(loss: Loss | readonly Loss[], feeds: Record<string, Tensor>, trainable = ["W"]) {
  const training = buildTrainingGraph(model, { loss, trainable });
  const session = await openSession(training.model);
  const all: Record<string, Tensor> = { ...feeds };
  for (const { name, shape } of training.weights) {
    const proto = model.graph?.initializer.find((tensor) => tensor.name === name);
    const raw = proto?.rawData as Uint8Array;
    all[name] = {
      dtype: "float32",
      shape,
      data: new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4).slice(),
    };
  }
  const value = async (): Promise<number> =>
    Number((await session.run(all, [training.loss]))[training.loss]?.data[0]);
  const results = await session.run(all);
  const gradients = new Map(
    training.weights.map(({ name, dense }) => [name, results[dense as string]?.data as Float32Array]),
  );
  return { training, results, value, gradients, all, session };
}

/** Central differences of the runtime's own loss: float32, so the step is large and the tolerance wide. */
async function checkDifferences(
  loss: Loss | readonly Loss[],
  feeds: Record<string, Tensor>,
  trainable = ["W"],
): Promise<number> {
  const { value, gradients, all, session, results, training } = await run(loss, feeds, trainable);
  for (const [name, gradient] of gradients) {
    const data = all[name]?.data as Float32Array;
    for (let i = 0; i < data.length; i++) {
      const original = data[i] as number;
      const h = 2 ** -6;
      data[i] = original + h;
      const up = await value();
      data[i] = original - h;
      const down = await value();
      data[i] = original;
      expect(gradient[i], `${name}[${i}]`).toBeCloseTo((up - down) / (2 * h), 3);
    }
  }
  await session.close();
  return Number(results[training.loss]?.data[0]);
}

const logSoftmax = (row: readonly number[]): number[] => {
  const max = Math.max(...row);
  const total = Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0)) + max;
  return row.map((x) => x - total);
};
const rows = Array.from({ length: B * T }, (_, i) => logSoftmax(logits.slice(i * C, i * C + C)));

describe("cross-entropy", () => {
  it("is the mean over counted labels", async () => {
    const expected =
      labels.reduce((sum, label, i) => sum - (label < 0 ? 0 : (rows[i]?.[label] as number)), 0) / 5;
    const loss = await checkDifferences(
      { kind: "cross-entropy", logits: "logits", labels: "labels" },
      { labels: labelTensor },
    );
    expect(loss).toBeCloseTo(expected, 5);
  });
  it("smooths labels and weighs classes as documented", async () => {
    const [epsilon, w] = [0.1, [1, 2, 0.5, 3]];
    let [sum, norm] = [0, 0];
    for (const [i, label] of labels.entries()) {
      if (label < 0) continue;
      norm += w[label] as number;
      for (let c = 0; c < C; c++)
        sum -= (w[c] as number) * ((c === label ? 1 - epsilon : 0) + epsilon / C) * (rows[i]?.[c] as number);
    }
    const loss = await checkDifferences(
      { kind: "cross-entropy", logits: "logits", labels: "labels", labelSmoothing: epsilon, classWeights: w },
      { labels: labelTensor },
    );
    expect(loss).toBeCloseTo(sum / norm, 5);
  });
  it("takes another ignored index, even one that is a class", async () => {
    const a = await checkDifferences(
      { kind: "cross-entropy", logits: "logits", labels: "labels", ignoreIndex: 2 },
      { labels: { ...labelTensor, data: BigInt64Array.from([1, 3, 2, 0, 2, 2], BigInt) } },
    );
    const expected = -((rows[0]?.[1] as number) + (rows[1]?.[3] as number) + (rows[3]?.[0] as number)) / 3;
    expect(a).toBeCloseTo(expected, 5);
  });
  it("is 0 with zero gradients if nothing counts", async () => {
    const { results, training, gradients, session } = await run(
      { kind: "cross-entropy", logits: "logits", labels: "labels" },
      { labels: { ...labelTensor, data: new BigInt64Array(6).fill(-100n) } },
    );
    expect(Math.abs(Number(results[training.loss]?.data[0]))).toBe(0);
    expect(gradients.get("W")?.every((g) => g === 0)).toBe(true);
    await session.close();
  });
});

describe("other losses", () => {
  const teacher: Tensor = {
    dtype: "float32",
    shape: [B, T, C],
    data: Float32Array.from({ length: B * T * C }, () => random.normal()),
  };
  const mask: Tensor = { dtype: "float32", shape: [B, T], data: Float32Array.of(1, 1, 0, 1, 0, 1) };

  it("Kullback–Leibler divergence with temperature and mask", async () => {
    const temperature = 2;
    let sum = 0;
    for (let i = 0; i < B * T; i++) {
      if (mask.data[i] === 0) continue;
      const q = logSoftmax(
        Array.from(teacher.data.slice(i * C, i * C + C) as Float32Array, (x) => x / temperature),
      );
      const p = logSoftmax(logits.slice(i * C, i * C + C).map((x) => x / temperature));
      for (let c = 0; c < C; c++) sum += Math.exp(q[c] as number) * ((q[c] as number) - (p[c] as number));
    }
    const loss = await checkDifferences(
      { kind: "kl", logits: "logits", teacher: "teacher", mask: "mask", temperature },
      { teacher, mask },
    );
    expect(loss).toBeCloseTo((temperature ** 2 * sum) / 4, 4);
    await checkDifferences({ kind: "kl", logits: "logits", teacher: "teacher" }, { teacher });
  });
  it("mean squared error with a mask", async () => {
    let sum = 0;
    for (let i = 0; i < B * T * C; i++)
      sum += Number(mask.data[Math.floor(i / C)]) * ((logits[i] as number) - Number(teacher.data[i])) ** 2;
    const loss = await checkDifferences(
      { kind: "mse", prediction: "logits", target: "teacher", mask: "mask" },
      { teacher, mask },
    );
    expect(loss).toBeCloseTo(sum / (4 * C), 4);
  });
  it("mean squared error is 0 with zero gradients if nothing counts", async () => {
    const { results, training, gradients, session } = await run(
      { kind: "mse", prediction: "logits", target: "teacher", mask: "mask" },
      { teacher, mask: { ...mask, data: new Float32Array(B * T) } },
    );
    expect(Number(results[training.loss]?.data[0])).toBe(0);
    expect(gradients.get("W")?.every((g) => g === 0)).toBe(true);
    await session.close();
  });
  it("the weighted sum of several", async () => {
    const losses: Loss[] = [
      { kind: "cross-entropy", logits: "logits", labels: "labels", name: "upos" },
      { kind: "mse", prediction: "logits", target: "teacher", weight: 0.4 },
    ];
    const { results, training, session } = await run(losses, { labels: labelTensor, teacher });
    const value = (name: string): number => Number(results[training.losses[name] as string]?.data[0]);
    expect(Number(results[training.loss]?.data[0])).toBeCloseTo(value("upos") + 0.4 * value("mse"), 5);
    await session.close();
    await checkDifferences(losses, { labels: labelTensor, teacher });
  });
  it("linear chain: equals the sum over all paths, by enumeration", async () => {
    const chainLabels = [1, 3, 0, 2, 2, -100];
    const feeds = {
      labels: { dtype: "int64", shape: [B, T], data: BigInt64Array.from(chainLabels, BigInt) } as Tensor,
    };
    const loss: Loss = {
      kind: "crf",
      emissions: "logits",
      transitions: "A",
      start: "start",
      end: "end",
      labels: "labels",
    };
    const trainable = ["W", "A", "start", "end"];
    const { all, session } = await run(loss, feeds, trainable);
    await session.close();
    const of = (name: string, i: number): number => Number(all[name]?.data[i]);
    const score = (b: number, path: readonly number[]): number => {
      let total = of("start", path[0] as number) + of("end", path.at(-1) as number);
      for (const [t, c] of path.entries()) {
        total += of("W", (b * T + t) * C + c);
        if (t > 0) total += of("A", (path[t - 1] as number) * C + c);
      }
      return total;
    };
    const paths = (length: number): number[][] =>
      length === 0 ? [[]] : paths(length - 1).flatMap((path) => [0, 1, 2, 3].map((c) => [...path, c]));
    let expected = 0;
    for (const [b, gold] of [
      [1, 3, 0],
      [2, 2],
    ].entries()) {
      const z = Math.log(paths(gold.length).reduce((sum, path) => sum + Math.exp(score(b, path)), 0));
      expected += (z - score(b, gold)) / B;
    }
    expect(await checkDifferences(loss, feeds, trainable)).toBeCloseTo(expected, 4);
  });
  it("linear chain: of a teacher it is the mean over the teacher's sequences, by enumeration", async () => {
    const paths = (length: number): number[][] =>
      length === 0 ? [[]] : paths(length - 1).flatMap((path) => [0, 1, 2, 3].map((c) => [...path, c]));
    const lengths = [3, 2];
    const opinions = lengths.map((length) => {
      const all = paths(length).map((path) => ({ path, share: Math.exp(random.normal()) }));
      const total = all.reduce((sum, { share }) => sum + share, 0);
      return all.map(({ path, share }) => ({ path, share: share / total }));
    });
    const targets = new Float32Array(B * T * C);
    const pairs = new Float32Array(C * C);
    const add = (sums: Float32Array, i: number, share: number): void => {
      sums[i] = (sums[i] as number) + share;
    };
    for (const [b, opinion] of opinions.entries()) {
      for (const { path, share } of opinion) {
        path.forEach((c, t) => add(targets, (b * T + t) * C + c, share));
        path.slice(1).forEach((c, t) => add(pairs, (path[t] as number) * C + c, share));
      }
    }
    const feeds = {
      targets: { dtype: "float32", shape: [B, T, C], data: targets } as Tensor,
      pairs: { dtype: "float32", shape: [C, C], data: pairs } as Tensor,
    };
    const tensors = { emissions: "logits", transitions: "A", start: "start", end: "end" } as const;
    const loss: Loss = { kind: "soft-crf", ...tensors, targets: "targets", pairs: "pairs" };
    const { all, session } = await run(loss, feeds, ["W", "A", "start", "end"]);
    await session.close();
    const of = (name: string, i: number): number => Number(all[name]?.data[i]);
    const score = (b: number, path: readonly number[]): number => {
      let total = of("start", path[0] as number) + of("end", path.at(-1) as number);
      for (const [t, c] of path.entries()) {
        total += of("W", (b * T + t) * C + c);
        if (t > 0) total += of("A", (path[t - 1] as number) * C + c);
      }
      return total;
    };
    let expected = 0;
    for (const [b, opinion] of opinions.entries()) {
      const z = Math.log(opinion.reduce((sum, { path }) => sum + Math.exp(score(b, path)), 0));
      for (const { path, share } of opinion) expected += (share * (z - score(b, path))) / B;
    }
    expect(await checkDifferences(loss, feeds, ["W", "A", "start", "end"])).toBeCloseTo(expected, 4);
  });
  it("linear chain: a sentence without words adds nothing", async () => {
    const chainLoss = {
      kind: "crf",
      emissions: "logits",
      transitions: "A",
      start: "start",
      end: "end",
      labels: "labels",
    } as const;
    const none = [-100, -100, -100];
    const valueOf = async (...chainLabels: readonly number[]) => {
      const data = BigInt64Array.from(chainLabels, BigInt);
      const { results, training, gradients, session } = await run(chainLoss, {
        labels: { ...labelTensor, data },
      });
      await session.close();
      return { loss: Number(results[training.loss]?.data[0]), gradient: gradients.get("W") as Float32Array };
    };
    const [both, first, second] = [
      await valueOf(1, 3, 0, 2, 2, 1),
      await valueOf(1, 3, 0, ...none),
      await valueOf(...none, 2, 2, 1),
    ];
    expect(first.loss + second.loss).toBeCloseTo(both.loss, 4);
    expect(first.gradient.subarray(T * C).every((g) => g === 0)).toBe(true);
    expect([...first.gradient.subarray(0, T * C)]).toEqual(
      Array.from(both.gradient.subarray(0, T * C), (g) => expect.closeTo(g, 5)),
    );
  });
});

describe("refused losses", () => {
  const build = (loss: Loss): unknown => buildTrainingGraph(model, { loss, trainable: ["W"] });
  const cases: readonly (readonly [string, Loss, string, string])[] = [
    [
      "an unknown tensor",
      { kind: "mse", prediction: "logit", target: "t" },
      "unknown-tensor",
      'buildTrainingGraph: tensor "logit": expected a value of the graph, got none of that name',
    ],
    [
      "too much smoothing",
      { kind: "cross-entropy", logits: "logits", labels: "l", labelSmoothing: 1 },
      "invalid-option",
      'buildTrainingGraph: loss of "logits": labelSmoothing: expected a number in [0, 1), got 1',
    ],
    [
      "too few class weights",
      { kind: "cross-entropy", logits: "logits", labels: "l", classWeights: [1] },
      "invalid-option",
      'buildTrainingGraph: loss of "logits": classWeights: length: expected 4, got 1',
    ],
    [
      "an input with a taken name",
      { kind: "cross-entropy", logits: "logits", labels: "W" },
      "invalid-option",
      'buildTrainingGraph: loss input "W": expected a name of its own for int64, got one that is taken',
    ],
  ];
  for (const [name, loss, code, message] of cases) {
    it(name, () => {
      expect(() => build(loss)).toThrow(expect.objectContaining({ code, message, kind: "input" }));
      expect(() => build(loss)).toThrow(TrainingError);
    });
  }
});
