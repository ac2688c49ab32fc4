import { describe, expect, it } from "vitest";
import {
  type Artifact,
  noState,
  parsePipelineState,
  pipelineReport,
  type PipelineState,
  planPipeline,
  readRecipe,
  runPipeline,
  type RunPipelineOptions,
  serializePipelineState,
  type StepFunction,
} from "../../src/pipeline/index.js";
import { schemas } from "./schemas.js";

const start: Artifact = { path: "pos.onnx", bytes: 1000, sha256: "0" };

function planOf(steps: string, dataHashes: Record<string, string> = { validation: "v" }) {
  const text = `model: pos.onnx\ndata: { validation: v, calibration: c, train: t }\nsteps: ${steps}`;
  const outputNameOf = ({ kind }: { kind: string }, input: string): string =>
    kind === "compress" ? `${input}.gz` : `${input.replace(/\.onnx$/, "")}_${kind}.onnx`;
  return planPipeline(readRecipe(text, schemas, "r.yaml"), {
    schemas,
    dataHashes,
    stem: "pos",
    outputNameOf,
    makesModel: () => true,
  });
}

/** Functions whose output is named after everything they saw, a disk to keep it on, and a list of the work done. */
function world(state: PipelineState = noState) {
  const work: string[] = [];
  const saved: PipelineState[] = [];
  const changed = new Set<string>();
  const make: StepFunction = async ({ step, input, isInterrupted }) => {
    work.push(`${step.kind}${isInterrupted ? " again" : ""}`);
    const sha256 = `${input.sha256}>${step.kind}${JSON.stringify(step.options)}${JSON.stringify(step.data)}`;
    const output = { path: step.outputName ?? "", bytes: input.bytes / 2, sha256 };
    return { kind: "done", output, isModel: true, result: { made: step.kind } };
  };
  const options: RunPipelineOptions = {
    start,
    state,
    functions: { prune: make, quantize: make, compress: make },
    environment: { versions: "1" },
    isUnchanged: async ({ path }) => !changed.has(path),
    save: async (one) => void saved.push(one),
  };
  return { work, saved, changed, options, last: () => saved.at(-1) ?? state };
}

const three = "[{ prune: { sparsity: 0.3 } }, quantize, compress]";

describe("planPipeline", () => {
  it("names say how files are made; a name that is taken gets a number", () => {
    expect(planOf("[prune, quantize, compress]").map(({ outputName }) => outputName)).toEqual([
      "pos_prune.onnx",
      "pos_prune_quantize.onnx",
      "pos_prune_quantize.onnx.gz",
    ]);
    const same = planPipeline(readRecipe("model: a\nsteps: [prune, prune, prune]", schemas, "r"), {
      schemas,
      dataHashes: {},
      stem: "a",
      outputNameOf: () => "a_tuned.onnx",
      makesModel: () => true,
    });
    expect(same.map(({ outputName }) => outputName)).toEqual([
      "a_tuned.onnx",
      "a_tuned_2.onnx",
      "a_tuned_3.onnx",
    ]);
  });

  it("a step has the hashes of the texts it reads, no others", () => {
    const hashes = { validation: "v", calibration: "c", train: "t" };
    const [prune, quantize] = planOf("[prune, { quantize: { method: minmax, vocabulary: train } }]", hashes);
    expect(prune?.data).toEqual({ validation: "v" });
    expect(quantize?.data).toEqual({ train: "t", calibration: "c" });
  });
});

describe("runPipeline", () => {
  it("gives each step what the one before it made", async () => {
    const { options, work } = world();
    const { stages, refused } = await runPipeline(planOf(three), options);
    expect(work).toEqual(["prune", "quantize", "compress"]);
    expect(stages.map(({ status }) => status)).toEqual(["start", "done", "done", "done"]);
    expect(stages.map(({ output }) => output?.bytes)).toEqual([1000, 500, 250, 125]);
    expect(refused).toBeNull();
  });

  it("does nothing the second time", async () => {
    const first = world();
    await runPipeline(planOf(three), first.options);
    const second = world(first.last());
    const { stages } = await runPipeline(planOf(three), second.options);
    expect(second.work).toEqual([]);
    expect(second.saved).toEqual([]);
    expect(stages.map(({ status }) => status)).toEqual(["start", "skipped", "skipped", "skipped"]);
    expect(stages[2]?.result).toEqual({ made: "quantize" });
  });

  it.each([
    [
      "an option",
      { steps: "[{ prune: { sparsity: 0.3 } }, { quantize: { per-channel: false } }, compress]" },
      2,
    ],
    ["a text", { data: { validation: "other" } }, 3],
    ["the versions", { environment: { versions: "2" } }, 3],
    ["the model", { start: { ...start, sha256: "other" } }, 3],
  ])("after a change of %s begins at the first step that it touches", async (_, change, count) => {
    const first = world();
    await runPipeline(planOf(three), first.options);
    const second = world(first.last());
    const {
      steps = three,
      data,
      ...rest
    } = change as {
      steps?: string;
      data?: Record<string, string>;
    } & Partial<RunPipelineOptions>;
    await runPipeline(planOf(steps, data), { ...second.options, ...rest });
    expect(second.work).toEqual(["prune", "quantize", "compress"].slice(3 - count));
  });

  it("makes again what was changed or removed since", async () => {
    const first = world();
    await runPipeline(planOf(three), first.options);
    const second = world(first.last());
    second.changed.add("pos_prune_quantize.onnx");
    await runPipeline(planOf(three), second.options);
    // The same work gives the same bytes: what follows need not be done again.
    expect(second.work).toEqual(["quantize"]);
    const third = world(second.last());
    await runPipeline(planOf(three), third.options);
    expect(third.work).toEqual([]);
  });

  it("forgets steps that the recipe no longer has", async () => {
    const first = world();
    await runPipeline(planOf(three), first.options);
    const second = world(first.last());
    await runPipeline(planOf("[{ prune: { sparsity: 0.3 } }]"), second.options);
    expect(second.work).toEqual([]);
    expect(second.last().steps).toHaveLength(1);
  });

  it("goes on behind the last finished step after an error, and says that the next was interrupted", async () => {
    const first = world();
    const fails: StepFunction = async () => {
      throw new Error("the disk is full");
    };
    const broken = { ...first.options.functions, quantize: fails };
    await expect(runPipeline(planOf(three), { ...first.options, functions: broken })).rejects.toThrow(
      "the disk is full",
    );
    expect(first.last().running).not.toBeNull();
    const second = world(first.last());
    await runPipeline(planOf(three), second.options);
    expect(second.work).toEqual(["quantize again", "compress"]);
    expect(second.last().running).toBeNull();
    // The same interruption, but other work now: nothing to go on with.
    const third = world(first.last());
    await runPipeline(
      planOf("[{ prune: { sparsity: 0.3 } }, { quantize: { per-channel: true } }]"),
      third.options,
    );
    expect(third.work).toEqual(["quantize"]);
  });

  it("ends at a step that refuses its work; those before it stay done", async () => {
    const { options, work, last } = world();
    const refuses: StepFunction = async () => ({
      kind: "refused",
      message: "too bad",
      result: { loss: 0.1 },
    });
    const { stages, refused } = await runPipeline(planOf(three), {
      ...options,
      functions: { ...options.functions, quantize: refuses },
    });
    expect(refused).toEqual({ step: 2, kind: "quantize", message: "too bad", result: { loss: 0.1 } });
    expect(stages).toHaveLength(2);
    expect(work).toEqual(["prune"]);
    expect(last()).toMatchObject({ running: null, steps: [{ output: { path: "pos_prune.onnx" } }] });
  });

  it("judges each model once, and again on another text", async () => {
    const judged: string[] = [];
    const evaluate = async ({ path }: Artifact) => {
      judged.push(path);
      return { metric: "accuracy", value: 0.9 };
    };
    const first = world();
    await runPipeline(planOf("[prune, compress]"), { ...first.options, evaluate, evaluationKey: "a" });
    expect(judged).toEqual(["pos.onnx", "pos_prune.onnx", "pos_prune.onnx.gz"]);
    const second = world(first.last());
    await runPipeline(planOf("[prune, compress]"), { ...second.options, evaluate, evaluationKey: "a" });
    expect(judged).toHaveLength(3);
    const third = world(first.last());
    await runPipeline(planOf("[prune, compress]"), { ...third.options, evaluate, evaluationKey: "b" });
    expect(judged).toHaveLength(6);
    expect(third.work).toEqual([]);
  });

  it("leaves the model as it is behind a step that only writes or only looks", async () => {
    const inputs: string[] = [];
    const { options } = world();
    const looks: StepFunction = async ({ input }) => {
      inputs.push(input.sha256);
      return { kind: "done", output: null, isModel: false, result: null };
    };
    await runPipeline(planOf("[quantize, compress]"), {
      ...options,
      functions: { quantize: looks, compress: looks },
    });
    expect(inputs).toEqual(["0", "0"]);
  });
});

describe("pipelineReport", () => {
  it("has each model against the first", async () => {
    const { options } = world();
    const values = [0.95, 0.94];
    const evaluate = async () => ({ metric: "accuracy", value: values.shift() ?? 0 });
    const run = await runPipeline(planOf("[prune]"), { ...options, evaluate });
    const speed = (p50: number) => ({
      msPerSentence: { p50, p95: p50, mean: p50, ci95: [p50, p50] as const },
      memoryBytes: 10,
    });
    const sha = run.stages[1]?.output?.sha256 ?? "";
    const { stages } = pipelineReport(run, {
      figures: new Map([
        ["0", speed(4)],
        [sha, speed(2)],
      ]),
      lossInterval: (a, b) => [a.value, b.value],
    });
    expect(stages[0]).toMatchObject({ step: 0, loss: 0, sizeRatio: 1, speedup: 1 });
    expect(stages[1]).toMatchObject({ step: 1, kind: "prune", sizeRatio: 2, speedup: 2, memoryBytes: 10 });
    expect(stages[1]?.loss).toBeCloseTo(0.01, 10);
    expect(stages[1]?.lossCi95).toEqual([0.95, 0.94]);
  });

  it("has nulls for what was not measured", async () => {
    const { options } = world();
    const run = await runPipeline(planOf("[prune]"), options);
    expect(pipelineReport(run, { figures: new Map() }).stages[1]).toMatchObject({
      metric: null,
      value: null,
      loss: null,
      speedup: null,
      memoryBytes: null,
      sizeRatio: 2,
    });
  });
});

describe("the state of a pipeline", () => {
  it("is read back as it was written", async () => {
    const { options, last } = world();
    await runPipeline(planOf(three), options);
    expect(parsePipelineState(serializePipelineState(last()), "s")).toEqual(last());
  });

  it.each([
    ["{", "text that is not JSON"],
    ["null", "got null"],
    ['{"schemaVersion":2}', "schemaVersion 2"],
    ['{"schemaVersion":1,"steps":[{}]}', "steps of another form"],
  ])("%s is refused", (text, got) => {
    expect(() => parsePipelineState(text, "pipeline.json")).toThrow(
      expect.objectContaining({
        code: "invalid-state",
        message: expect.stringContaining(
          "parsePipelineState: pipeline.json: expected the state of a pipeline",
        ),
      }),
    );
    expect(() => parsePipelineState(text, "pipeline.json")).toThrow(got);
  });
});
