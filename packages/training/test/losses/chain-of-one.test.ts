import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { tensor } from "@nasty/core";
import { openSession } from "@nasty/runtime";
import { expect, it } from "vitest";
import { buildTrainingGraph } from "../../src/index.js";

it("a linear chain of one word is a softmax over start + score + end", async () => {
  const scores = [0.3, -1, 2];
  const start = [0.1, 0.2, -0.3];
  const end = [0.5, 0, 0.25];
  const model = makeModel(
    makeGraph("one word", {
      nodes: [makeNode("Identity", ["W"], ["logits"])],
      inputs: [],
      outputs: [makeValueInfo("logits", "float32", ["batch", "time", 3])],
      initializers: [
        makeTensor("W", "float32", { values: scores, shape: [1, 1, 3] }),
        makeTensor("A", "float32", { values: Array<number>(9).fill(7), shape: [3, 3] }),
        makeTensor("start", "float32", { values: start }),
        makeTensor("end", "float32", { values: end }),
      ],
    }),
  );
  const training = buildTrainingGraph(model, {
    loss: {
      kind: "crf",
      emissions: "logits",
      transitions: "A",
      start: "start",
      end: "end",
      labels: "labels",
    },
    trainable: ["W"],
  });
  const session = await openSession(training.model);
  const gradient = training.weights[0]?.dense as string;
  const results = await session.run({
    W: tensor("float32", [1, 1, 3], Float32Array.from(scores)),
    labels: tensor("int64", [1, 1], BigInt64Array.of(2n)),
  });
  await session.close();

  const totals = scores.map((score, i) => score + (start[i] as number) + (end[i] as number));
  const sum = totals.reduce((all, total) => all + Math.exp(total), 0);
  expect(results[training.loss]?.data[0]).toBeCloseTo(Math.log(sum) - (totals[2] as number), 5);
  const expected = totals.map((total, i) => Math.exp(total) / sum - (i === 2 ? 1 : 0));
  const got = Array.from((results[gradient] as { data: Float32Array }).data);
  got.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
});
