import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { withHistory } from "@nasty/compression";
import type { ModelVariant } from "@nasty/formats/hf";
import type { LabelChoice } from "@nasty/taggers";
import { type ExportOptions as Exporting, exportTagger } from "@nasty/taggers/node";
import { checkDrift, type DriftCheck, driftLine, leastCosine } from "@nasty/workflow/drift/drift-check";
import { driftSample } from "@nasty/workflow/drift/drift-sample";
import { UsageError } from "@nasty/workflow/errors";
import { choiceOf } from "@nasty/workflow/texts/label-choice";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes } from "@nasty/workflow/report/format";
import { versions } from "@nasty/workflow/versions";

interface ExportOptions extends CommonOptions, LabelChoice {
  readonly model: readonly string[];
  readonly output: string;
  readonly dtype?: ModelVariant;
  readonly modelType?: string;
  readonly minCosine?: number;
}

/** `nasty export`: one or more models as a Hugging Face directory. */
export async function exportModels(options: ExportOptions, terminal: Terminal): Promise<void> {
  const { model: paths, dtype, modelType } = options;
  if (paths.length === 0) throw new UsageError("export: --model: expected a file or directory, got none");
  if (dtype !== undefined && paths.length > 1) {
    throw new UsageError(
      `export: --dtype ${dtype}: expected one --model with it, got ${paths.length}; each is named by its weights`,
    );
  }
  const output = resolve(options.output);
  terminal.progress.start("writing and opening the directory");
  const drift: Record<string, DriftCheck> = {};
  const exported = await exportTagger(paths, output, {
    ...choiceOf(options),
    ...(dtype === undefined ? {} : { dtype }),
    ...(modelType === undefined ? {} : { modelType }),
    record: (model, { sha256, variant }) =>
      withHistory(model, {
        step: "export",
        options: { dtype: variant },
        inputSha256: sha256,
        versions: versions(),
      }),
    async check(staged, source) {
      drift[source.variant] = await checkExport(staged, source, options);
    },
  });
  terminal.progress.stop();
  const { files, ...rest } = exported;
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
  const result = {
    models: paths,
    output: { path: output, bytes, files: Object.fromEntries(files) },
    ...rest,
    drift,
  };
  terminal.result(result, () =>
    [
      `Wrote ${output} (${formatBytes(bytes)}): ${result.modelType}, ${result.variants.join(", ")}, ${result.labels.length} labels`,
      ...[...files].map(([name, file]) => `  ${name}  ${formatBytes(file.bytes)}`),
      ...Object.entries(drift).map(([variant, check]) =>
        driftLine(check, `those of the source of ${variant}`),
      ),
    ].join("\n"),
  );
}

/** How alike the outputs of each variant and its source must be: kernels of few bits differ with how a session fuses them. */
const leastOf: Readonly<Record<ModelVariant, number>> = {
  fp32: leastCosine.float,
  fp16: leastCosine.float,
  q8: leastCosine.int8,
  int8: leastCosine.int8,
  uint8: leastCosine.int8,
  q4: leastCosine.int4,
  q4f16: leastCosine.int4,
  bnb4: leastCosine.int4,
};

/** Runs a written file beside the file, or the weights, that it was made of. */
async function checkExport(
  ...[staged, source, { threads, minCosine }]: [
    ...Parameters<NonNullable<Exporting["check"]>>,
    Pick<ExportOptions, "threads" | "minCosine">,
  ]
): Promise<DriftCheck> {
  const { model, modelPath, variant, settings } = source;
  const { size: modelBytes } = await stat(staged.modelPath);
  const sample = await driftSample({ path: staged.directory, modelBytes, model, tagger: settings }, [], {
    threads,
  });
  return checkDrift(
    {
      operation: "export",
      path: modelPath,
      original: modelPath.endsWith(".safetensors") ? model : modelPath,
      likeness: "the source",
      sample,
      minCosine: minCosine ?? leastOf[variant],
      threads,
      advice: () => "export the model again, or lower --min-cosine if you mean it",
    },
    staged.modelPath,
  );
}
