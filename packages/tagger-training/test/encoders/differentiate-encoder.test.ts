import { buildEncoder, checkpointTensors } from "@nasty/taggers/encoders";
import { buildTrainingGraph } from "@nasty/training";
import { expect, test } from "vitest";
import { modelTypes, tinyCheckpoint } from "./tiny-checkpoint.js";

test.each(modelTypes)(
  "the graph of %s can be differentiated in every weight, dropout included",
  (modelType) => {
    const { config, tensors } = tinyCheckpoint(modelType);
    const model = buildEncoder(config, tensors, { dropout: true });
    const training = buildTrainingGraph(model, {
      loss: { kind: "cross-entropy", logits: "logits", labels: "labels" },
    });
    const weights = checkpointTensors(model);
    expect(training.weights.map(({ name }) => name).sort()).toEqual([...weights.keys()].sort());
    expect(training.seed).toBeDefined();
    const dropouts = model.graph?.node.filter(({ opType }) => opType === "Dropout").length;
    expect(dropouts).toBe(1 + 2 * 3 + 1);
  },
);
