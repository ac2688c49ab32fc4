import { readFile } from "node:fs/promises";
import { readModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { exportModel } from "../../src/exporting/export-model.js";
import { openModel } from "../../src/models/model.js";
import { inspect } from "../../src/inspection/inspect.js";
import { formsOf } from "../../src/targets/forms.js";
import { quantize } from "../../src/quantization/quantize.js";
import { prune } from "../../src/pruning/prune.js";
import { abortingAt, openTinyFolder, type TinyFolder } from "../tiny-folder.js";

let folder: TinyFolder;
beforeAll(async () => {
  folder = await openTinyFolder();
});
afterAll(() => folder.remove());

describe("exportModel", () => {
  it("writes a directory that is a model for the next operation", async () => {
    const small = await prune(folder.path("pos"), { neurons: 0.3, output: folder.path("small.onnx") });
    const exported = await exportModel(small, { output: folder.path("dist") });
    expect(exported).toMatchObject({
      models: [small.path],
      path: folder.path("dist"),
      modelType: "bert",
      variants: ["fp32"],
      passed: true,
    });
    const file = exported.output.files["onnx/model.onnx"];
    expect(file?.bytes).toBe((await readFile(folder.path("dist", "onnx", "model.onnx"))).length);
    expect(exported.bytes).toBeGreaterThan(file?.bytes ?? 0);
    expect(exported.drift["fp32"]?.outputs[0]?.cosine).toBeCloseTo(1);
    const { metric } = await evaluate(exported, { on: folder.path("test.conllu") });
    expect(metric).toBe("accuracy");
  });

  it("takes several models, open ones too, and refuses two for one file", async () => {
    await using model = await openModel(folder.path("pos"));
    const output = folder.path("two");
    await expect(exportModel([model, folder.path("pos")], { output })).rejects.toThrow(
      "got a second; leave one out",
    );
    expect((await exportModel([model], { output })).models).toEqual([model.path]);
  });

  it("writes forms that a target runs, and says so in the file", async () => {
    const options = { mode: "int4", output: folder.path("int4.onnx") } as const;
    const small = await quantize(folder.path("pos"), options);
    const formsIn = async (path: string) => {
      const { ops, history } = await inspect(path);
      expect(ops.map(({ op }) => op)).toContain("GatherBlockQuantized");
      const forms = formsOf(await readModelFile(path)).map(({ form }) => form);
      return { isOld: !forms.includes("GatherBlockQuantized over bytes"), last: history.at(-1)?.options };
    };
    expect((await formsIn(small.path as string)).isOld).toBe(false);
    const output = folder.path("old");
    const exported = await exportModel(small, { output, target: "transformers.js@3" });
    expect(exported.variants).toEqual(["q4"]);
    expect(exported.drift["q4"]?.outputs[0]?.cosine).toBeCloseTo(1);
    expect(await formsIn(folder.path("old", "onnx", "model_q4.onnx"))).toEqual({
      isOld: true,
      last: { dtype: "q4", target: "transformers.js@3" },
    });
    const bytes = await quantize(folder.path("pos"), {
      ...options,
      mode: "weight-only",
      output: folder.path("8.onnx"),
    });
    const before = await folder.snapshot();
    await expect(
      exportModel(bytes, { output: folder.path("refused"), target: "transformers.js@3" }),
    ).rejects.toThrow(
      /^export: .*8\.onnx: node \/embedding\/Gather: GatherBlockQuantized over bytes: ONNX Runtime/,
    );
    expect(await folder.snapshot()).toEqual(before);
  });

  it("refuses options that are unknown, missing or contradict each other", async () => {
    const pos = folder.path("pos");
    const output = folder.path("refused");
    const before = await folder.snapshot();
    await expect(exportModel(pos, { output, type: "q8" } as never)).rejects.toThrow(
      "export: type: expected one of",
    );
    await expect(exportModel(pos, {} as never)).rejects.toThrow("export: output: expected a value");
    await expect(exportModel([], { output })).rejects.toThrow("expected a file or directory, got none");
    await expect(exportModel([pos, pos], { output, dtype: "q8" })).rejects.toThrow(
      "--dtype q8: expected one",
    );
    await expect(exportModel(3 as never, { output })).rejects.toThrow("export: models: expected a path");
    expect(await folder.snapshot()).toEqual(before);
  });

  it("ends on a signal, and the folder is as it was", async () => {
    await exportModel(folder.path("pos"), { output: folder.path("kept") });
    const small = await prune(folder.path("pos"), { neurons: 0.5, output: folder.path("half.onnx") });
    const before = await folder.snapshot();
    const { reason, running } = abortingAt("writing");
    await expect(exportModel(small, { output: folder.path("kept"), ...running })).rejects.toBe(reason);
    expect(await folder.snapshot()).toEqual(before);
  });
});
