import type { Tensor } from "@nasty/core";
import { tensorFromProto } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { buildEncoder, randomCheckpoint } from "@nasty/taggers/encoders";
import { buildTrainingGraph, type Loss, seededRandom } from "@nasty/training";
import { expect, it } from "vitest";
import { addMeanPooling, pooledOutput } from "../../src/text-models/mean-pooling.js";
import { modelTypes, tinyCheckpoint } from "../encoders/tiny-checkpoint.js";

const int64 = (shape: readonly number[], values: readonly number[]): Tensor => ({
  dtype: "int64",
  shape,
  data: BigInt64Array.from(values, BigInt),
});
const feeds = {
  input_ids: int64([2, 4], [5, 9, 7, 12, 6, 4, 8, 3]),
  attention_mask: int64([2, 4], [1, 1, 1, 1, 1, 1, 1, 0]),
  token_type_ids: int64([2, 4], [0, 0, 1, 1, 0, 0, 0, 0]),
};

/** Some numbers of every weight's gradient against central differences of the runtime's own loss. */
async function checkDifferences(
  model: Parameters<typeof buildTrainingGraph>[0],
  loss: Loss,
  more: Record<string, Tensor>,
): Promise<void> {
  const training = buildTrainingGraph(model, { loss });
  const session = await openSession(training.model);
  const values = new Map<string, Tensor>();
  for (const { name } of training.weights) {
    const proto = model.graph?.initializer.find((one) => one.name === name);
    if (proto !== undefined) values.set(name, tensorFromProto(proto));
  }
  const run = async (names?: readonly string[]) => {
    const all = { ...feeds, ...more, ...Object.fromEntries(values) } as Record<string, Tensor>;
    return session.run(
      Object.fromEntries(session.inputs.map(({ name }) => [name, all[name] as Tensor])),
      names && [...names],
    );
  };
  const value = async (): Promise<number> => Number((await run([training.loss]))[training.loss]?.data[0]);
  const results = await run();
  let checked = 0;
  for (const { name, dense } of training.weights) {
    // Tables hand out rows; those that the ids name are checked by the layers above them.
    const gradient = dense === undefined ? undefined : (results[dense]?.data as Float32Array | undefined);
    const data = values.get(name)?.data as Float32Array;
    if (gradient === undefined) continue;
    for (const i of [0, Math.floor(data.length / 2), data.length - 1]) {
      const original = data[i] as number;
      const step = 2 ** -7;
      data[i] = original + step;
      const up = await value();
      data[i] = original - step;
      const down = await value();
      data[i] = original;
      expect(Math.abs((gradient[i] as number) - (up - down) / (2 * step)), `${name}[${i}]`).toBeLessThan(
        3e-3,
      );
      checked += 1;
    }
  }
  await session.close();
  expect(checked).toBeGreaterThan(30);
}

it.each(modelTypes)("the head of %s for whole texts has the gradients of its formula", async (modelType) => {
  const { config } = tinyCheckpoint(modelType);
  const tensors = randomCheckpoint(config, { seed: 7, deviation: 0.4, labels: 3 });
  await checkDifferences(
    buildEncoder(config, tensors, { head: "sequence" }),
    { kind: "cross-entropy", logits: "logits", labels: "labels" },
    { labels: int64([2], [2, 0]) },
  );
});

it("the mean of hidden states and its cosine have the gradients of their formula", async () => {
  const { config } = tinyCheckpoint("bert");
  const model = buildEncoder(config, randomCheckpoint(config, { seed: 7, deviation: 0.4 }), { head: "none" });
  const random = seededRandom(1);
  const data = Float32Array.from({ length: 16 }, () => random.normal());
  await checkDifferences(
    addMeanPooling({ model, hidden: "last_hidden_state", width: 8 }),
    { kind: "mse", weight: 4, prediction: pooledOutput, target: "vectors" },
    { vectors: { dtype: "float32", shape: [2, 8], data } },
  );
});
