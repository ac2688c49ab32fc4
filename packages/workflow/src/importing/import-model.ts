import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { withHistory } from "@nasty/compression";
import { type ImportedModel, importLayersModel } from "@nasty/engine-tfjs/layers-model";
import { readLayersModel } from "@nasty/engine-tfjs/layers-model/node";
import { describeGraph } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import { type SequenceSettings, withTagger } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import { UsageError } from "../errors.js";
import { writeCandidate, type Written } from "../files/candidate.js";
import { checkWritable, isSameFile } from "../files/output-path.js";
import { importOperation } from "../operations/files.js";
import { type Given, perform } from "../perform.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { versions } from "../versions.js";
import { sequenceSettings, wantsTagger } from "./sequence-settings.js";

type ImportSettings = SettingsOf<typeof importOperation.options>;

/** A model file that was made of a model of another framework. */
export interface ImportResult {
  readonly from: ImportSettings["from"];
  /** The folder as it was named. */
  readonly model: string;
  readonly output: Written;
  readonly parameters: number;
  readonly layers: ImportedModel["layers"];
  /** How often each operator stands in the graph. */
  readonly operators: ReturnType<typeof describeGraph>["ops"];
  readonly inputs: ImportedModel["inputs"];
  readonly outputs: ImportedModel["outputs"];
  readonly ignoresPadding: boolean;
  /** Null where nothing was said of words and labels: the file runs, and cannot tag. */
  readonly tagger:
    | (Pick<SequenceSettings, "kind" | "task" | "labels" | "padding"> & {
        readonly scheme: string | null;
        /** How many words it knows. */
        readonly words: number;
      })
    | null;
  /** Of the written file, absolute: a model for every operation. */
  readonly path: string;
  readonly bytes: number;
  /** The written file was opened: one that does not open is an error. */
  readonly passed: true;
}

/**
 * Turns a model of another framework into a model file; with `task`, `words` and `labels` into a tagger.
 *
 * @param directory the folder that the framework saved: of a TensorFlow.js LayersModel `model.json` and its weight
 *   shards
 * @throws TfjsError for what is no such model or has layers that ONNX does not; UsageError for unknown, wrong or
 *   missing options; InputError and TaggerError for lists of words and labels that do not fit the model. Nothing is
 *   written then.
 * @example
 * ```ts
 * await importModel("saved", { from: "tfjs", task: "pos", words: "words.json", labels: "labels.json", output: "pos.onnx" });
 * ```
 */
export async function importModel(
  directory: string,
  options: Given<typeof importOperation.options>,
): Promise<ImportResult> {
  if (typeof directory !== "string") {
    throw new UsageError(`import: directory: expected the path of a folder, got ${typeof directory}`);
  }
  return perform(importOperation, { ...options }, (settings, reporter) =>
    runImport(directory, settings, reporter),
  );
}

/**
 * {@link importModel} from checked settings: read, convert, write beside the output, load what was written, then give
 * it its name.
 */
export async function runImport(
  directory: string,
  settings: ImportSettings,
  { progress, signal }: Reporter,
): Promise<ImportResult> {
  const isTagger = wantsTagger(settings);
  const { output, from, threads } = settings;
  await checkWritable("--output", output);
  progress.start("reading the model");
  const { path, shards, modelJson, weightBytes } = await readLayersModel(directory);
  await checkOutput(settings, [path, ...shards]);
  const imported = importLayersModel(modelJson, weightBytes);
  const tagger = isTagger ? await sequenceSettings(settings, imported) : undefined;
  const recorded = withHistory(imported.model, {
    step: "import",
    options: { from },
    // Of everything that was read: the description, then the weights.
    inputSha256: createHash("sha256")
      .update(await readFile(path))
      .update(weightBytes)
      .digest("hex"),
    versions: versions(),
  });
  signal?.throwIfAborted();
  const candidate = await writeCandidate(
    output,
    tagger === undefined ? recorded : await withTagger(recorded, tagger),
  );
  try {
    const opened = await (tagger === undefined ? openSession : openTagger)(candidate.path, { threads });
    await opened.close();
    signal?.throwIfAborted();
    const written = await candidate.commit();
    progress.stop();
    return resultOf({ from, directory, imported, written, tagger });
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

/** The output may not take the place of what it is made of. */
async function checkOutput(
  { output, words, labels }: ImportSettings,
  files: readonly string[],
): Promise<void> {
  for (const file of [...files, words, labels]) {
    if (file === undefined || !(await isSameFile(output, file))) continue;
    throw new UsageError(
      `import: --output ${output}: expected another file than those it is made from, got ${file}`,
    );
  }
}

function resultOf({
  from,
  directory,
  imported: { model, inputs, outputs, layers, ignoresPadding },
  written,
  tagger,
}: {
  readonly from: ImportSettings["from"];
  readonly directory: string;
  readonly imported: ImportedModel;
  readonly written: Written;
  readonly tagger: SequenceSettings | undefined;
}): ImportResult {
  const { parameters, ops } = describeGraph(model);
  return {
    from,
    model: directory,
    output: written,
    parameters,
    layers,
    operators: ops,
    inputs,
    outputs,
    ignoresPadding,
    tagger:
      tagger === undefined
        ? null
        : {
            kind: tagger.kind,
            task: tagger.task,
            scheme: tagger.scheme ?? null,
            labels: tagger.labels,
            words: tagger.words.filter((word) => word !== "").length,
            padding: tagger.padding,
          },
    path: resolve(written.path),
    bytes: written.bytes,
    passed: true,
  };
}
