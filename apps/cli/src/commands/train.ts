import { type LabelChoice, labellingOfSettings } from "@nasty/taggers";
import { labellingDocument } from "@nasty/workflow/report/labelling-text";
import { rm } from "node:fs/promises";
import { resolve } from "node:path";
import { withHistory } from "@nasty/compression";
import type { ArchitectureName, Task } from "@nasty/taggers";
import { trainTagger, trainTransformer } from "@nasty/taggers/training";
import { fileCheckpoint } from "@nasty/training/node";
import { driftLine } from "@nasty/workflow/drift/drift-check";
import { firstSentences } from "@nasty/workflow/drift/drift-sample";
import { writeTrained } from "@nasty/workflow/drift/training-drift";
import { checkWritable } from "@nasty/workflow/files/output-path";
import { checkSeparate } from "@nasty/workflow/files/separate-paths";
import { provenanceOf } from "@nasty/workflow/models/provenance";
import {
  chosenEngine,
  defaultEngine,
  engineInHistory,
  type EngineName,
} from "@nasty/workflow/training/training-engine";
import { trainingSentences } from "@nasty/workflow/texts/training-sentences";
import { checkAgreement, exportText, exportTrained } from "@nasty/workflow/training/export-trained";
import { type QatArguments, qatSettings } from "@nasty/workflow/training/qat-settings";
import { nameBeside } from "@nasty/workflow/files/output-name";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes, formatPercent } from "@nasty/workflow/report/format";

interface TrainOptions extends CommonOptions, QatArguments, Pick<LabelChoice, "scheme"> {
  readonly task: Task;
  readonly train: string;
  readonly validation: string;
  readonly output: string;
  readonly architecture: ArchitectureName | "transformer";
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly learningRate?: number;
  readonly patience?: number;
  readonly minCosine?: number;
  readonly engine?: EngineName;
}

/**
 * `nasty train`: a tagger from random weights. An interrupted run goes on from `OUTPUT.checkpoint` when the same command is given
 * again, and ends with the same bytes as one that was not interrupted.
 */
export async function train(options: TrainOptions, terminal: Terminal): Promise<void> {
  const output = resolve(options.output);
  await checkWritable("--output", output);
  const checkpoint = `${output}.checkpoint`;
  const { task, architecture, batchSize, patience } = options;
  const recipe = {
    ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    ...(options.learningRate === undefined ? {} : { learningRate: options.learningRate }),
  };
  const quantization = qatSettings("train", options);
  const quantizedOutput = nameBeside(output, "qat");
  if (options.qat === true) await checkWritable("--output", quantizedOutput);
  const outputs = {
    "--output": output,
    ...(options.qat === true ? { "--output with --qat": quantizedOutput } : {}),
  };
  await checkSeparate("train", outputs, [options.train, options.validation]);
  const started = performance.now();
  const job = {
    task,
    train: await trainingSentences(options.train, task),
    validation: await trainingSentences(options.validation, task),
    scheme: options.scheme,
    seed: options.seed,
    threads: options.threads,
    checkpoint: fileCheckpoint(checkpoint),
    checkpointEvery: 200,
    ...terminal.training,
    ...(patience === undefined ? {} : { patience }),
    ...quantization,
    ...(await chosenEngine(options.engine, terminal)),
  };
  const trained =
    architecture === "transformer"
      ? await trainTransformer({
          ...job,
          recipe: { ...recipe, ...(batchSize === undefined ? {} : { batchSize }) },
        })
      : await trainTagger({
          ...job,
          architecture,
          recipe: { ...recipe, ...(batchSize === undefined ? {} : { batchSentences: batchSize }) },
        });
  const model = withHistory(trained.model, {
    step: "train",
    options: {
      task,
      architecture,
      seed: options.seed,
      ...recipe,
      ...(batchSize === undefined ? {} : { batchSentences: batchSize }),
      ...quantization,
      ...engineInHistory(options.engine),
    },
    ...(await provenanceOf(undefined, { train: options.train, validation: options.validation })),
  });
  const words = await firstSentences([options.validation, options.train], task);
  const { settings } = trained;
  const { drift, bytes, sha256 } = await writeTrained(output, {
    operation: "train",
    output: options.output,
    model,
    settings,
    words,
    threads: options.threads,
    minCosine: options.minCosine,
  });
  const exported = await exportTrained({
    model,
    settings: trained.settings,
    output: quantizedOutput,
    validation: options.validation,
    threads: options.threads,
    words,
    minCosine: options.minCosine,
    provenance: await provenanceOf(sha256),
  });
  await rm(checkpoint, { force: true });
  const metric = task === "pos" ? "accuracy" : "f1";
  const labelling = labellingDocument(labellingOfSettings(trained.settings));
  const result = {
    task,
    scheme: labelling.scheme,
    labelling,
    output: { path: output, bytes, sha256 },
    architecture,
    engine: options.engine ?? defaultEngine,
    metric,
    value: trained.value ?? null,
    bestEpoch: trained.bestEpoch ?? null,
    epochs: trained.history,
    stopped: trained.stopped,
    seconds: (performance.now() - started) / 1000,
    drift,
    ...(exported === undefined ? {} : { qat: exported }),
  };
  terminal.result(result, () =>
    [
      `Wrote ${output} (${formatBytes(bytes)})`,
      `  ${metric} on ${options.validation}: ${trained.value === undefined ? "not measured" : formatPercent(trained.value)} (epoch ${trained.bestEpoch ?? "-"})`,
      driftLine(drift, "the trained model's"),
      ...(exported === undefined ? [`Next: nasty quantize --model ${options.output}`] : exportText(exported)),
    ].join("\n"),
  );
  checkAgreement("train", exported);
}
