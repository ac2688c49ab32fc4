import { describe, it } from "vitest";
import { checkNode } from "../reference/check-gradients.js";
import { ruleCases } from "../reference/rule-cases.js";

describe("gradient rules against central differences in float64", () => {
  for (const [name, node] of ruleCases) {
    it(name, () => checkNode(node));
    it(`${name}, shapes unknown before the run`, () => checkNode({ ...node, dynamic: true, seed: 2 }));
  }
});
