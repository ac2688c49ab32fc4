import { describe, expect, it } from "vitest";
import { collectRanges } from "@nasty/calibration";
import {
  gate,
  type GateOptions,
  type GateState,
  historyOf,
  int8,
  sensitivity,
  withinLoss,
} from "../../src/index.js";
import { batches, layers, outlierModel } from "../outlier-model.js";
import { run } from "../tiny-models.js";

const m = outlierModel();
const table = await collectRanges(m, int8.activations(m), batches());
const plan = await int8.plan(m, { calibrationTable: table });

/** Share of positions whose largest output is the float model's. */
async function agreement(candidate: typeof m): Promise<number> {
  let same = 0;
  let all = 0;
  for (const { feeds } of batches(50, 8)) {
    const [a, b] = [(await run(m, feeds))["y"]!, (await run(candidate, feeds))["y"]!];
    for (let row = 0; row < a.data.length; row += 16) {
      const largest = (t: typeof a): number => {
        const values = (t.data as Float32Array).subarray(row, row + 16);
        return values.indexOf(Math.max(...values));
      };
      if (largest(a) === largest(b)) same++;
      all++;
    }
  }
  return same / all;
}

const rank = async () => (await sensitivity(m, plan, { batches: batches() })).map(({ name }) => name);
const options = {
  metric: "agreement",
  original: 1,
  target: 0.06,
  rank,
  evaluate: async ({ model }) => agreement(model),
} satisfies GateOptions;

describe("gate", () => {
  it("repairs a model with outlier channels by leaving few weights in float, and says which", async () => {
    const first = await gate(m, plan, { ...options, rank: undefined as never });
    expect(first.passed).toBe(false);
    const result = await gate(m, plan, options);
    expect(result).toMatchObject({
      passed: true,
      metric: "agreement",
      original: 1,
      target: 0.06,
      keptInFloat: ["W3"],
    });
    expect(result.loss).toBe(1 - result.quantized);
    expect(result.quantized).toBe(await agreement(result.candidate.model));
    expect(result.candidate.report.keptInFloat).toContainEqual({
      name: "dense3",
      op: "MatMul",
      reason: "left in float by the accuracy gate",
    });
  });

  it("never calls a model that missed the target passed, nor leaves everything in float", async () => {
    const result = await gate(m, plan, { ...options, target: -1 });
    expect(result.passed).toBe(false);
    expect(Math.max(...result.state.attempts.map(({ kept }) => kept))).toBe(layers - 1);
    expect(result.candidate.report.tensors.length).toBeGreaterThan(0);
    const values = result.state.attempts.map(({ value }) => value);
    expect(result.quantized).toBe(Math.max(...values));
  });

  it("finds the fewest: nothing is kept that need not be", async () => {
    // Passes with the first three of the ranking in float.
    let written = 0;
    const result = await gate(m, plan, {
      ...options,
      evaluate: async ({ keptInFloat }) => {
        written++;
        return keptInFloat.length >= 3 ? 1 : 0;
      },
    });
    expect(result.keptInFloat).toHaveLength(3);
    expect(written).toBe(result.state.attempts.length);
    expect(result.state.attempts.map(({ kept }) => kept)).toEqual([0, 1, 2, 4, 3]);
    // The model says itself what the gate decided.
    expect(historyOf(result.candidate.model)).toMatchObject([
      { step: "quantize", options: { keptInFloat: result.keptInFloat } },
    ]);
  });

  it("stops when the time is up, hands over the best so far, and goes on where it stopped", async () => {
    const evaluate: GateOptions["evaluate"] = async ({ keptInFloat }) => keptInFloat.length / 10;
    const saved: GateState[] = [];
    const stopped = await gate(m, plan, {
      ...options,
      evaluate,
      target: 0.7,
      timeBudget: 0,
      onAttempt: ({ state, isBest }) => {
        expect(isBest).toBe(true);
        saved.push(state);
      },
    });
    expect(stopped).toMatchObject({ passed: false, outOfTime: true, quantized: 0 });
    expect(saved).toHaveLength(1);
    const state = JSON.parse(JSON.stringify(stopped.state)) as GateState;
    const tried: number[] = [];
    const resumed = await gate(m, plan, {
      ...options,
      target: 0.7,
      state,
      evaluate: async (candidate) => {
        tried.push(candidate.keptInFloat.length);
        return evaluate(candidate);
      },
    });
    expect(tried).not.toContain(0);
    expect(resumed).toMatchObject({ passed: true, outOfTime: false });
    expect(resumed.keptInFloat).toHaveLength(3);
  });

  it("says of each attempt whether it is the best so far; among equals the fewest weights in float win", async () => {
    const values = new Map([
      [0, 0.5],
      [1, 0.7],
      [2, 0.6],
      [4, 0.7],
    ]);
    const seen: (readonly [kept: number, isBest: boolean])[] = [];
    const result = await gate(m, plan, {
      ...options,
      evaluate: async ({ keptInFloat }) => values.get(keptInFloat.length) ?? 0,
      onAttempt: ({ candidate, isBest }) => void seen.push([candidate.keptInFloat.length, isBest]),
    });
    expect(seen.slice(0, 4)).toEqual([
      [0, true],
      [1, true],
      [2, false],
      [4, false],
    ]);
    expect(result).toMatchObject({ passed: false, quantized: 0.7 });
    expect(result.keptInFloat).toHaveLength(1);
    expect(result.candidate.report.tensors).toHaveLength(plan.tensors.length - 1);
  });

  it("leaves out of the ranking what the plan does not quantize", async () => {
    const result = await gate(m, plan, {
      ...options,
      rank: async () => ["no such weight", "W3"],
      evaluate: async ({ keptInFloat }) => (keptInFloat.includes("W3") ? 1 : 0),
    });
    expect(result.state.ranking).toEqual(["W3"]);
    expect(result).toMatchObject({ passed: true, keptInFloat: ["W3"] });
    expect(result.state.attempts).toHaveLength(2);
  });

  it("does not rank when the first attempt passes", async () => {
    const result = await gate(m, plan, {
      ...options,
      target: 1,
      rank: () => {
        throw new Error("ranked");
      },
    });
    expect(result).toMatchObject({ passed: true, keptInFloat: [] });
  });
});

it("a loss equal to the target is within it, whatever rounding makes of the difference", () => {
  // Metrics of 25,000 words, and the targets that people type.
  for (const [original, changed, target] of [
    [0.9, 0.89, 0.01],
    [0.8, 0.7, 0.1],
    [1, 0.999, 0.001],
    [0.5, 0.5, 0],
  ] as const) {
    expect(withinLoss(original - changed, target)).toBe(true);
    expect(withinLoss(original - changed + 1e-6, target)).toBe(false);
  }
});
