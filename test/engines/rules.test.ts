import { describe, expect, it } from "vitest";
import { tensorflowOperators } from "../../packages/engine-tfjs/src/index.js";
import { differentiableOperators } from "../../packages/training/src/index.js";
import { modelOf } from "../../packages/training/test/reference/check-gradients.js";
import { ruleCases } from "../../packages/training/test/reference/rule-cases.js";
import { smallNetworks } from "../../packages/training/test/reference/small-networks.js";
import { againstTargets, expectParity } from "./parity.js";

describe("gradient rules against TensorFlow's gradients", () => {
  it("runs every operator that has a rule", () => {
    expect(differentiableOperators.filter((name) => !tensorflowOperators.includes(name))).toEqual([]);
  });

  for (const [name, node] of ruleCases) {
    it(name, async () => {
      const { model, feeds } = modelOf(node);
      const trainable = node.operands.flatMap((operand, i) => (operand.kind === "weight" ? [`x${i}`] : []));
      const outputs = Array.from({ length: node.outputs ?? 1 }, (_, i) => `y${i}`);
      await expectParity({ model, ...againstTargets(model, { feeds, outputs, trainable }) });
    });
  }
});

describe("whole networks against TensorFlow's gradients", () => {
  for (const [name, network] of smallNetworks) {
    it(name, async () => {
      const { model, feeds, outputs, trainable } = network();
      await expectParity({ model, ...againstTargets(model, { feeds, outputs, trainable }) });
    });
  }
});
