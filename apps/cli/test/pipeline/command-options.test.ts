import { describe, expect, test } from "vitest";
import { pruneCommand } from "../../src/arguments/prune-command.js";
import { quantizeCommand } from "../../src/arguments/quantize-command.js";
import { argumentsOf, optionsOf, parsedOptions } from "../../src/pipeline/command-options.js";
import { stepKind, stepKinds } from "../../src/pipeline/step-kinds.js";

const schemaOf = (name: string) => {
  const found = optionsOf(quantizeCommand(), []).find((option) => option.name === name);
  if (found === undefined) throw new Error(`no option ${name}`);
  return found;
};

describe("options of a command as a recipe has them", () => {
  test("flags in both forms are one, what is repeated is a list, texts have names", () => {
    expect(schemaOf("per-channel").takes).toBe("flag");
    expect(schemaOf("fallback").takes).toBe("flag");
    expect(schemaOf("skip-layers").takes).toBe("list");
    expect(schemaOf("calibration").takes).toBe("data");
    expect(schemaOf("percentile").takes).toBe("value");
  });

  test("values are checked by the command's own rules", () => {
    expect(schemaOf("mode").check?.("dynamic")).toBeUndefined();
    expect(schemaOf("mode").check?.("fast")).toBe("expected one of static, dynamic, int4, weight-only");
    expect(schemaOf("percentile").check?.("20")).toBe("expected a number above 50 and up to 100");
    expect(schemaOf("target-size").check?.("4.5MB")).toBeUndefined();
  });

  test("a step has every option of its command but those that the pipeline gives", () => {
    const names = (step: string) => stepKind(step).schema.options.map(({ name }) => name);
    const all = quantizeCommand().options.map(({ long }) => (long ?? "").replace(/^--(?:no-)?/, ""));
    const given = [
      "json",
      "quiet",
      "seed",
      "threads",
      "debug",
      "model",
      "output",
      "report",
      "dry-run",
      "task",
      "scheme",
    ];
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

describe("options of a recipe as the command line has them", () => {
  test("reach the command's module, with the defaults of what is not written", async () => {
    const command = quantizeCommand();
    const argv = argumentsOf(command, {
      "per-channel": false,
      fallback: true,
      "reduce-range": true,
      symmetric: false,
      percentile: "99.9",
      "skip-layers": ["/classifier/*", "--odd"],
    });
    expect(argv).toEqual([
      "--no-per-channel",
      "--reduce-range",
      "--percentile=99.9",
      "--skip-layers=/classifier/*",
      "--skip-layers=--odd",
    ]);
    expect(await parsedOptions(command, argv)).toMatchObject({
      perChannel: false,
      fallback: true,
      reduceRange: true,
      percentile: 99.9,
      skipLayers: ["/classifier/*", "--odd"],
      calibration: [],
      seed: 1,
    });
    const pruning = pruneCommand();
    const layers = argumentsOf(pruning, { layers: "1,3" });
    expect(await parsedOptions(pruning, ["--model=a", ...layers])).toMatchObject({ layers: [1, 3] });
  });

  test("that exclude each other are refused in the parser's words, with nothing printed", async () => {
    const command = quantizeCommand();
    await expect(parsedOptions(command, ["--symmetric", "--asymmetric"])).rejects.toThrow(
      "option '--symmetric' cannot be used with option '--asymmetric'",
    );
  });
});
