import { describe, expect, test } from "vitest";
import { pruneOperation, quantizeOperation } from "../../src/operations/index.js";
import { stepKind, stepKinds } from "../../src/recipes/steps/step-kinds.js";
import { settingsOfStep, stepOptions } from "../../src/recipes/steps/step-options.js";
import { longName, namedOptions } from "../../src/schema/operation.js";

const schemaOf = (name: string) => {
  const found = stepOptions(quantizeOperation, []).find((option) => option.name === name);
  if (found === undefined) throw new Error(`no option ${name}`);
  return found;
};

describe("options of an operation as a recipe has them", () => {
  test("flags in both forms are one, what is repeated is a list, texts have names", () => {
    expect(schemaOf("per-channel").takes).toBe("flag");
    expect(schemaOf("fallback").takes).toBe("flag");
    expect(schemaOf("skip-layers").takes).toBe("list");
    expect(schemaOf("calibration").takes).toBe("data");
    expect(schemaOf("percentile").takes).toBe("value");
  });

  test("values are checked by the operation's own rules", () => {
    expect(schemaOf("mode").check?.("dynamic")).toBeUndefined();
    expect(schemaOf("mode").check?.("fast")).toBe("expected one of static, dynamic, int4, weight-only");
    expect(schemaOf("percentile").check?.("20")).toBe("expected a number above 50 and up to 100");
    expect(schemaOf("target-size").check?.("4.5MB")).toBeUndefined();
  });

  test("a step has every option of its operation but those that the recipe gives", () => {
    const names = (step: string) => stepKind(step).schema.options.map(({ name }) => name);
    const all = namedOptions(quantizeOperation).map(({ option }) => longName(option.flag));
    const given = ["seed", "threads", "model", "output", "report", "task", "scheme"];
    const files = ["calibration-table", "save-calibration-table", "flips"];
    const expected = new Set(all.filter((name) => ![...given, ...files].includes(name)));
    expect(new Set(names("quantize"))).toEqual(expected);
    expect(names("prune")).toEqual(expect.arrayContaining(["sparsity", "vocabulary", "epochs", "heads"]));
    expect(names("distill")).not.toContain("teacher");
    for (const { schema } of stepKinds) {
      expect(schema.options.map(({ name }) => name)).not.toContain("output");
    }
  });
});

describe("options of a recipe as settings of an operation", () => {
  const given = (options: Parameters<typeof settingsOfStep>[1]["options"]) => ({
    options,
    sourcesOf: (_: unknown, name: string) => [`${name}.conllu`, `${name}-2.conllu:20`],
    provided: { model: "pos.onnx", seed: 7, threads: 2 },
  });

  test("have the defaults of what is not written", () => {
    const settings = settingsOfStep(
      quantizeOperation,
      given({
        "per-channel": false,
        fallback: true,
        "reduce-range": true,
        percentile: "99.9",
        "target-size": "4.5MB",
        "skip-layers": ["/classifier/*", "--odd"],
      }),
    );
    expect(settings).toMatchObject({
      model: "pos.onnx",
      perChannel: false,
      fallback: true,
      reduceRange: true,
      percentile: 99.9,
      targetSize: 4_500_000,
      skipLayers: ["/classifier/*", "--odd"],
      calibration: [],
      seed: 7,
      threads: 2,
    });
    const pruning = settingsOfStep(pruneOperation, given({ layers: "1,3" }));
    expect(pruning).toMatchObject({ layers: [1, 3], scope: "global" });
  });

  test("name texts; where one is taken it is the first, without a number of sentences", () => {
    const settings = settingsOfStep(quantizeOperation, given({ calibration: "few", validation: "dev" }));
    expect(settings).toMatchObject({
      calibration: ["few.conllu", "few-2.conllu:20"],
      validation: "dev.conllu",
    });
  });

  test("that exclude each other are refused, both by their names", () => {
    expect(() => settingsOfStep(quantizeOperation, given({ symmetric: true, asymmetric: true }))).toThrow(
      "quantize: --symmetric: expected no --asymmetric beside it",
    );
  });
});
