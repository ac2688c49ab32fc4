import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { historyOf } from "@nasty/compression";
import { readModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
// @boundaries-ignore the tiny models are those of the command's tests
import { conllu, sentences } from "../../../../apps/cli/test/tiny-corpus.js";
import { evaluate, quantize, sweep, type SweepOptions, type SweepResult } from "../../src/index.js";
import { openSubject } from "../../src/kinds/open-subject.js";
import { reporterOf } from "../../src/reporter.js";
import { readSamples } from "../../src/sweep/local-worker.js";
import { parseSelection } from "../../src/sweep/selection.js";
import { writeSelected } from "../../src/sweep/write-selected.js";
import { abortingAt, openTinyFolder, type TinyFolder } from "../tiny-folder.js";

let folder: TinyFolder;
/** Six useful recipes of three modes, and two that clip what they should not. */
const recipes = `
  - quantize:
      mode: [static, dynamic, int4]
      method: [minmax, entropy, percentile]
      percentile: [55, 99.99]
      activations: [symmetric, asymmetric]
      block-size: [16, 64]
      min-cosine: -1
`;

beforeAll(async () => {
  folder = await openTinyFolder();
  await writeFile(folder.path("dev.conllu"), conllu(Array.from({ length: 4 }, () => sentences).flat()));
  await writeSweep("sizes.yaml", recipes);
});
afterAll(() => folder.remove());

const writeSweep = (name: string, entries: string, head = "") =>
  writeFile(
    folder.path(name),
    `model: pos\n${head}data: { calibration: test.conllu, validation: dev.conllu }\nsweep:${entries}`,
  );

async function run(name: string, options: SweepOptions = {}, file = "sizes.yaml") {
  const steps: string[] = [];
  const result = await sweep(folder.path(file), {
    output: folder.path(name),
    rungs: 3,
    workers: 1,
    onProgress: ({ step, state }) => void (state === "begin" && steps.push(step)),
    ...options,
  });
  return { result, steps };
}

/** A result without what depends on the clock, and on where it was written. */
function settled({ frontier, output: _, selected, ...result }: SweepResult) {
  return {
    ...result,
    selected: selected && { ...selected, output: selected.output?.sha256 },
    frontier: frontier.map(({ path: _path, msPerSentence: _ms, speedup: _speedup, ...one }) => one),
  };
}

let first: Awaited<ReturnType<typeof run>>;
beforeAll(async () => {
  first = await run("first", { select: "loss <= 0", report: folder.path("first.html") });
}, 60_000);

describe("sweep", () => {
  it("tries each combination that differs once", async () => {
    const plan = await sweep.plan(folder.path("sizes.yaml"));
    expect([plan.combinations, plan.recipes.length]).toEqual([72, 11]);
    expect(first.result.recipes.map(({ steps }) => steps)).toEqual(plan.recipes.map(({ steps }) => steps));
    expect(plan.recipes.filter(({ steps }) => steps[0]?.options["mode"] === "dynamic")).toEqual([
      { steps: [{ kind: "quantize", options: { mode: "dynamic", "min-cosine": "-1" } }] },
    ]);
  });

  it("measures the ranges of all methods in one run of the model, and makes files of them", async () => {
    expect(first.steps.filter((step) => step.startsWith("calibrating"))).toEqual([
      "calibrating on 8 sentences for all recipes (minmax, entropy, percentile)",
    ]);
    const [, best] = first.result.frontier.toSorted((a, b) => (a.group < b.group ? -1 : 1)).slice(-2);
    expect(best?.group).toBe("static");
    const [step] = historyOf(await readModelFile(best!.path));
    expect(Object.keys(step?.data ?? {})).toEqual(["calibrationTable"]);
    const { method, activations } = best!.steps[0]!.options as Record<string, "minmax">;
    const alone = await quantize.plan(folder.path("pos"), {
      mode: "static",
      calibration: folder.path("test.conllu"),
      ...(method !== undefined && { method }),
      ...(activations !== undefined && { activations: activations as string as "symmetric" }),
    });
    const { min, max } = alone.plan.activations[0] as { readonly min: number; readonly max: number };
    const tables = (await readdir(folder.path("first", "shared"))).filter((name) =>
      name.startsWith("ranges-"),
    );
    // A range of asymmetric activations may be chosen otherwise.
    expect(tables.length).toBe(8);
    const found = await Promise.all(
      tables.map(async (name) => JSON.parse(await readFile(folder.path("first", "shared", name), "utf8"))),
    );
    const ranges = found.map(({ tensors }) => tensors[alone.plan.activations[0]!.name]);
    expect(ranges.some((one) => Math.abs(one.min - min) < 1e-5 && Math.abs(one.max - max) < 1e-5)).toBe(true);
  });

  it("ends bad recipes on a part of the text, says where and why, and keeps no file of them", async () => {
    const { recipes: all, rungs, frontier } = first.result;
    expect(rungs.map(({ samples }) => samples)).toEqual([8, 16, 32]);
    expect(rungs[0]?.recipes).toBe(11);
    const lossy = all.filter(({ ended }) => ended?.reason === "lossy");
    expect(lossy.map(({ steps }) => steps[0]?.options["percentile"])).toEqual(["55", "55"]);
    for (const { rungs: climbed, ended } of lossy) {
      expect([ended?.rung, climbed.length, climbed[0]?.samples]).toEqual([1, 1, 8]);
      expect(climbed[0]?.lossCi95[0]).toBeGreaterThan(0.1);
    }
    const beaten = all.filter(({ ended }) => ended?.reason === "beaten");
    expect(beaten.filter(({ ended }) => ended!.rung < 3).length).toBeGreaterThan(2);
    for (const { ended, rungs: climbed } of beaten) {
      expect(climbed.length).toBe(ended!.rung);
      expect(all.map(({ name }) => name)).toContain(ended!.by);
    }
    expect(rungs.reduce((sum, { ended }) => sum + ended, 0) + frontier.length).toBe(all.length);
    const files = (await readdir(folder.path("first", "recipes"))).filter((name) => name.endsWith(".onnx"));
    expect(files.sort()).toEqual(frontier.map(({ name }) => `${name}.onnx`).sort());
  });

  it("leaves files that are as they are said to be, of every mode", async () => {
    const { frontier } = first.result;
    expect(new Set(frontier.map(({ group }) => group))).toEqual(new Set(["static", "dynamic", "int4"]));
    expect(frontier.map(({ bytes }) => bytes)).toEqual(
      frontier.map(({ bytes }) => bytes).toSorted((a, b) => a - b),
    );
    for (const { path, bytes, value, loss, speedup, msPerSentence } of frontier) {
      expect((await stat(path)).size).toBe(bytes);
      expect((await evaluate(path, { on: folder.path("dev.conllu") })).value).toBe(value);
      expect(loss).toBeCloseTo(first.result.value - value, 12);
      expect(Math.min(speedup, msPerSentence)).toBeGreaterThan(0);
    }
    const kept = JSON.parse(await readFile(folder.path("first", "frontier.json"), "utf8")) as SweepResult;
    expect(settled(kept)).toEqual(JSON.parse(JSON.stringify(settled(first.result))));
  });

  it("writes the smallest file that is wanted, judged as it was written", async () => {
    const { selected, frontier, passed } = first.result;
    const [smallest] = frontier;
    expect(passed).toBe(true);
    expect(selected).toMatchObject({
      name: smallest?.name,
      output: { path: folder.path("first", "pos_int4.onnx") },
    });
    expect(selected?.gate).toMatchObject({
      metric: "accuracy",
      original: 1,
      quantized: 1,
      loss: 0,
      passed: true,
    });
    expect(await readFile(selected!.output!.path)).toEqual(await readFile(smallest!.path));
  });

  it("shows the frontier on a page", async () => {
    const page = await readFile(folder.path("first.html"), "utf8");
    expect(page).toContain("Size and loss");
    expect(page).toContain("<svg");
    expect(page).toContain("surely");
    expect(page).not.toContain(folder.path("first"));
  });

  it("comes to the same with several processes", async () => {
    const { result } = await run("processes", { workers: 2, select: "loss <= 0" });
    expect(settled(result)).toEqual(settled(first.result));
  }, 60_000);

  it("goes on where it was ended, and comes to the same", async () => {
    const { reason, running } = abortingAt("rung 2");
    const ended = sweep(folder.path("sizes.yaml"), {
      output: folder.path("ended"),
      rungs: 3,
      workers: 1,
      ...running,
    });
    await expect(ended).rejects.toBe(reason);
    const times = async (): Promise<ReadonlyMap<string, number>> => {
      const names = await readdir(folder.path("ended", "recipes"));
      const all = names.filter((name) => name.endsWith(".json"));
      return new Map(
        await Promise.all(
          all.map(
            async (name) => [name, (await stat(folder.path("ended", "recipes", name))).mtimeMs] as const,
          ),
        ),
      );
    };
    const before = await times();
    expect(before.size).toBe(11);
    const { result, steps } = await run("ended", { select: "loss <= 0", resume: true });
    expect(settled(result)).toEqual(settled(first.result));
    expect(steps.some((step) => step.startsWith("rung 1") || step.startsWith("calibrating"))).toBe(false);
    const after = await times();
    const beyond = result.recipes.filter(({ rungs }) => rungs.length > 1).map(({ name }) => `${name}.json`);
    expect(
      [...before]
        .filter(([name, time]) => after.get(name) !== time)
        .map(([name]) => name)
        .sort(),
    ).toEqual(beyond.sort());
  }, 60_000);

  it("takes all from a run that ended, its figures of speed too, and makes files again that are gone", async () => {
    const { result: again, steps } = await run("first", { select: "loss <= 0" });
    expect(again.frontier).toEqual(first.result.frontier);
    expect(steps.some((step) => step.startsWith("rung") || step.includes("speed"))).toBe(false);
    const [one] = again.frontier;
    await writeFile(one!.path, "damaged");
    const { result: mended } = await run("first", { select: "loss <= 0" });
    expect(mended.frontier).toEqual(first.result.frontier);
    expect((await stat(one!.path)).size).toBe(one!.bytes);
  }, 60_000);

  it("tries recipes of pruned models, pruned once", async () => {
    await writeSweep(
      "pruned.yaml",
      "\n  - prune: { sparsity: 0.3 }\n    quantize: { mode: [dynamic, int4] }\n  - prune: { sparsity: [0.3, 0.99] }\n",
    );
    const { result, steps } = await run("pruned", { rungs: 1, maxLoss: 0.2 }, "pruned.yaml");
    expect(steps.filter((step) => step === "planning what to prune")).toHaveLength(1);
    expect(result.recipes.map(({ group }) => group)).toEqual(["dynamic", "int4", "float", "float"]);
    expect(result.recipes[3]?.ended?.reason).toBe("lossy");
    const { path } = result.frontier.find(({ group }) => group === "int4")!;
    expect(historyOf(await readModelFile(path)).map(({ step }) => step)).toEqual(["prune", "quantize"]);
  }, 60_000);

  it("goes on without recipes that cannot be carried out, and ends without any", async () => {
    const broken = `
  - prune: { sparsity: 0.3 }
    quantize: { mode: dynamic, skip-layers: nowhere }
`;
    await writeSweep("some.yaml", `${broken}  - quantize: { mode: dynamic }\n`);
    const { result } = await run("some", { rungs: 1 }, "some.yaml");
    expect(result.recipes.map(({ ended }) => ended?.reason)).toEqual(["failed", undefined]);
    expect(result.recipes[0]?.ended?.message).toContain("nowhere");
    await writeSweep("none.yaml", broken);
    await expect(run("none", { rungs: 1 }, "none.yaml")).rejects.toThrow(
      "sweep: expected at least 1 recipe that can be carried out, got none of 1; the first: prune sparsity=0.3, quantize",
    );
  }, 60_000);
});

describe("what is selected", () => {
  it("is nothing where every recipe loses too much", async () => {
    await writeSweep(
      "clipped.yaml",
      "\n  - quantize: { mode: static, method: percentile, percentile: [51, 55], min-cosine: -1 }\n",
    );
    const { result } = await run("clipped", { select: "loss <= 1" }, "clipped.yaml");
    expect(result.recipes.map(({ ended }) => ended?.reason)).toEqual(["lossy", "lossy"]);
    expect([result.frontier, result.selected, result.passed]).toEqual([[], null, false]);
    expect(result.rungs.map(({ recipes: tried }) => tried)).toEqual([2, 0, 0]);
  }, 60_000);

  it("is nothing where nothing is good enough, and no file is written", async () => {
    const { result } = await run("first", { select: "size < 1kB or loss < -1" });
    expect([result.passed, result.selected]).toEqual([false, null]);
    expect(result.frontier).toEqual(first.result.frontier);
  }, 60_000);

  it("is the fastest where that is preferred, in the file that is named", async () => {
    const selected = folder.path("fast.onnx");
    const { result } = await run("first", { select: "size > 0", prefer: "fastest", selected });
    const fastest = result.frontier.toSorted((a, b) => b.speedup - a.speedup)[0];
    expect(result.selected).toMatchObject({ name: fastest?.name, output: { path: selected } });
    expect((await stat(selected)).size).toBe(fastest?.bytes);
  }, 60_000);

  it("is refused where the written file does not do as its recipe had", async () => {
    const clipped = await quantize(folder.path("pos"), {
      calibration: folder.path("test.conllu"),
      method: "percentile",
      percentile: 55,
      minCosine: -1,
      output: folder.path("clipped.onnx"),
    });
    const validation = folder.path("dev.conllu");
    const reporter = reporterOf({});
    const original = await openSubject(folder.path("pos"), { threads: 1 }, [validation]);
    const samples = await readSamples(original.reading, validation);
    const reference = await original.subject.judge(samples, { step: "", path: validation }, reporter);
    await original.subject.close();
    const context = {
      texts: {},
      folder: folder.path(),
      task: "pos",
      choice: {},
      tagger: undefined,
      seed: 1,
      threads: 1,
      reporter,
    } as const;
    const output = folder.path("refused.onnx");
    const chosen = { ...first.result.frontier[0]!, path: clipped.path };
    const isWanted = parseSelection("loss <= 0.001");
    const job = { chosen, isWanted, output, samples, validation, reference, context };
    const { output: written, gate } = await writeSelected(job, reporter);
    expect([written, gate.passed]).toEqual([null, false]);
    expect(gate.loss).toBeGreaterThan(0.1);
    await expect(stat(output)).rejects.toThrow("ENOENT");
  });
});

describe("a sweep that is not right", () => {
  it.each([
    [
      "an option that does nothing",
      "\n  - quantize: { mode: [dynamic, int4], percentile: 99 }\n",
      "line 4, column 40: quantize: percentile: expected a combination in which it does something, got none of 2",
    ],
    [
      "options that contradict each other",
      "\n  - quantize: { mode: static, symmetric: true, asymmetric: true }\n",
      "line 4, column",
    ],
    [
      "layers that there are not",
      "\n  - quantize: { mode: [static, dynamic], skip-layers: [[], nowhere] }\n",
      "quantize: skip-layers: nowhere: expected at least one matching layer",
    ],
    [
      "more combinations than anybody means",
      `\n  - quantize: { ${Array.from({ length: 5 }, (_, i) => `${["mode", "method", "percentile", "block-size", "limit"][i]}: [${Array.from({ length: 7 }, (_x, at) => (i === 0 ? "static" : i === 1 ? "mse" : 60 + at)).join(", ")}]`).join(", ")} }\n`,
      "expected at most 10000 combinations, got 16807",
    ],
    ["what the sweep does itself", "\n  - quantize: { target-accuracy-loss: 0.01 }\n", "option: expected"],
  ])("is refused with its place: %s", async (_, entries, message) => {
    await writeSweep("wrong.yaml", entries);
    await expect(sweep.plan(folder.path("wrong.yaml"))).rejects.toThrow(message);
  });

  it("needs validation text, a folder of its own, and a condition to select by", async () => {
    await writeFile(folder.path("blind.yaml"), "model: pos\nsweep: [{ quantize: { mode: dynamic } }]\n");
    await expect(sweep.plan(folder.path("blind.yaml"))).rejects.toThrow(
      "line 1, column 8: data: expected validation",
    );
    const path = folder.path("sizes.yaml");
    await expect(sweep(path, { output: folder.path("pos") })).rejects.toThrow("expected an empty folder");
    await expect(sweep(path, { output: folder.path("new"), resume: true })).rejects.toThrow(
      "expected an earlier run (sweep.json), got none",
    );
    await expect(sweep(path, { selected: "a.onnx" })).rejects.toThrow(
      "--selected: expected --select CONDITION",
    );
    await expect(sweep(path, { select: "loss =" })).rejects.toThrow(
      'sweep: select: expected a quantity, a comparison, a number or a parenthesis at column 6 (found "=")',
    );
    await expect(stat(join(folder.path(), "new"))).rejects.toThrow("ENOENT");
  });
});
