import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { withHistory } from "@nasty/compression";
import { type ImportedModel, importLayersModel } from "@nasty/engine-tfjs/layers-model";
import { readLayersModel } from "@nasty/engine-tfjs/layers-model/node";
import { describeGraph } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import { type TaggerSettings, withTagger } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import { UsageError } from "@nasty/workflow/errors";
import {
  type SequenceOptions,
  sequenceSettings,
  wantsTagger,
} from "@nasty/workflow/importing/sequence-settings";
import { checkWritable, isSameFile } from "@nasty/workflow/files/output-path";
import { writeCandidate, type Written } from "@nasty/workflow/files/candidate";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes, formatCount } from "@nasty/workflow/report/format";
import { versions } from "@nasty/workflow/versions";

export interface ImportCommandOptions extends CommonOptions, SequenceOptions {
  readonly from: "tfjs";
  readonly output: string;
}

/** `nasty import`: read, convert, write beside the output, load what was written, then give it its name. */
export async function importModel(
  options: ImportCommandOptions,
  terminal: Terminal,
  directory: string,
): Promise<void> {
  const isTagger = wantsTagger(options);
  const { output, from, threads } = options;
  await checkWritable("--output", output);
  terminal.progress.start("reading the model");
  const { path, shards, modelJson, weightBytes } = await readLayersModel(directory);
  await checkOutput(options, [path, ...shards]);
  const imported = importLayersModel(modelJson, weightBytes);
  const tagger = isTagger ? await sequenceSettings(options, imported) : undefined;
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
  const candidate = await writeCandidate(
    output,
    tagger === undefined ? recorded : await withTagger(recorded, tagger),
  );
  try {
    const opened = await (tagger === undefined ? openSession : openTagger)(candidate.path, { threads });
    await opened.close();
    const written = await candidate.commit();
    terminal.progress.stop();
    const result = document(options, directory, imported, written, tagger);
    terminal.result(result, () => importText(result));
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

/** The output may not take the place of what it is made of. */
async function checkOutput(
  { output, words, labels }: ImportCommandOptions,
  files: readonly string[],
): Promise<void> {
  for (const file of [...files, words, labels]) {
    if (file === undefined || !(await isSameFile(output, file))) continue;
    throw new UsageError(
      `import: --output ${output}: expected another file than those it is made of, got ${file}`,
    );
  }
}

type ImportDocument = ReturnType<typeof document>;

function document(
  { from }: ImportCommandOptions,
  directory: string,
  { model, inputs, outputs, layers, ignoresPadding }: ImportedModel,
  output: Written,
  tagger: TaggerSettings | undefined,
) {
  const { parameters, ops } = describeGraph(model);
  return {
    from,
    model: directory,
    output,
    parameters,
    layers,
    operators: ops,
    inputs,
    outputs,
    ignoresPadding,
    tagger:
      tagger?.kind === "sequence"
        ? {
            kind: tagger.kind,
            task: tagger.task,
            scheme: tagger.scheme ?? null,
            labels: tagger.labels,
            words: tagger.words.filter((word) => word !== "").length,
            padding: tagger.padding,
          }
        : null,
  };
}

function importText({ model, output, layers, parameters, inputs, outputs, tagger }: ImportDocument): string {
  const shown = (shape: readonly unknown[]): string => `[${shape.map((size) => size ?? "?").join(", ")}]`;
  return [
    `Imported: ${model} → ${output.path} (${formatBytes(output.bytes)})`,
    `  ${formatCount(layers.length)} layers (${[...new Set(layers.map(({ className }) => className))].join(", ")}), ${formatCount(parameters)} parameters`,
    ...inputs.map(({ name, dtype, shape }) => `  input ${name}: ${dtype} ${shown(shape)}`),
    ...outputs.map(({ name, shape }) => `  output ${name}: float32 ${shown(shape)}`),
    tagger === null
      ? "  no tagger: give --task, --words and --labels to evaluate it and to tag with it"
      : `  ${tagger.task} tagger: ${formatCount(tagger.words)} words, ${formatCount(tagger.labels.length)} labels`,
    `Next: nasty quantize --model ${output.path} --mode dynamic`,
  ].join("\n");
}
