import type { Tensor } from "@nasty/core";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { ModelGraph, validateModel } from "@nasty/graph";
import { buildEncoder } from "../../src/encoders/build-encoder.js";
import { checkpointTensors } from "../../src/encoders/checkpoint-tensors.js";
import { randomCheckpoint } from "../../src/encoders/random-checkpoint.js";
import { tinyCheckpoint } from "./tiny-checkpoint.js";

/** Abramowitz and Stegun, formula 7.1.26: exact to 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
}

/** Names and activation of each family's head, as transformers saves them. */
const heads = {
  bert: { dense: "bert.pooler.dense", output: "classifier", act: Math.tanh },
  roberta: { dense: "classifier.dense", output: "classifier.out_proj", act: Math.tanh },
  distilbert: { dense: "pre_classifier", output: "classifier", act: (x: number) => Math.max(0, x) },
  electra: {
    dense: "classifier.dense",
    output: "classifier.out_proj",
    act: (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  },
} as const;
const families = Object.keys(heads) as (keyof typeof heads)[];
const labels = 3;

const ids: Tensor<"int64"> = {
  dtype: "int64",
  shape: [2, 4],
  data: BigInt64Array.from([5, 9, 7, 12, 6, 4, 8, 3], BigInt),
};
const feeds = {
  input_ids: ids,
  attention_mask: { ...ids, data: new BigInt64Array(8).fill(1n) },
  token_type_ids: { ...ids, data: new BigInt64Array(8) },
};

async function outputOf(model: Parameters<typeof openSession>[0], name: string) {
  const session = await openSession(model);
  const taken = Object.fromEntries(
    session.inputs.map((input) => [input.name, feeds[input.name as keyof typeof feeds]]),
  );
  const found = (await session.run(taken))[name] as Tensor<"float32">;
  await session.close();
  return found;
}

function linear(x: readonly number[], tensors: ReadonlyMap<string, Tensor>, name: string): number[] {
  const bias = tensors.get(`${name}.bias`)?.data as Float32Array;
  const weight = tensors.get(`${name}.weight`)?.data as Float32Array;
  return Array.from(bias, (b, o) =>
    x.reduce((sum, v, i) => sum + v * (weight[o * x.length + i] as number), b),
  );
}

describe.each(families)("the head of %s for whole texts", (family) => {
  const { dense, output, act } = heads[family];
  const { config } = tinyCheckpoint(family);
  const tensors = randomCheckpoint(config, { seed: 3, deviation: 0.4, labels });

  it("computes what transformers computes from the first token", async () => {
    const model = buildEncoder(config, tensors, { head: "sequence" });
    validateModel(ModelGraph.from(model));
    const logits = await outputOf(model, "logits");
    const hidden = await outputOf(buildEncoder(config, tensors, { head: "none" }), "last_hidden_state");
    expect(logits.shape).toEqual([2, labels]);
    const [, length = 0, width = 0] = hidden.shape;
    for (let row = 0; row < 2; row++) {
      const first = Array.from(hidden.data.subarray(row * length * width, row * length * width + width));
      const expected = linear(linear(first, tensors, dense).map(act), tensors, output);
      expected.forEach((value, i) => expect(logits.data[row * labels + i]).toBeCloseTo(value, 5));
    }
  });

  it("gives its checkpoint back under the family's names", () => {
    const back = checkpointTensors(buildEncoder(config, tensors, { head: "sequence" }));
    expect([...back.keys()].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, value] of tensors) expect(back.get(name), name).toEqual(value);
  });

  it("is refused by the name of a layer that is not there", () => {
    const without = (layer: string) => new Map([...tensors].filter(([name]) => !name.startsWith(layer)));
    for (const [layer, shape] of [
      [dense, "[8, 8]"],
      [`${output}.`, "[labels, 8]"],
    ] as const) {
      const name = `${layer === dense ? dense : output}.weight`;
      expect(() => buildEncoder(config, without(layer), { head: "sequence" })).toThrow(
        `buildEncoder: tensor "${name}": expected a tensor ${shape}, got none of that name and shape`,
      );
    }
  });
});

it("XLM-RoBERTa and CamemBERT have RoBERTa's head", () => {
  for (const model_type of ["xlm-roberta", "camembert"]) {
    const config = { ...tinyCheckpoint("roberta").config, model_type };
    const tensors = randomCheckpoint(config, { seed: 1, labels: 2 });
    expect([...tensors.keys()]).toContain("classifier.out_proj.weight");
    const model = buildEncoder(config, tensors, { head: "sequence" });
    expect(model.graph?.output.map(({ name }) => name)).toEqual(["logits"]);
  }
});
