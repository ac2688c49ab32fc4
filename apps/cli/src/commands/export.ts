import { resolve } from "node:path";
import { withHistory } from "@nasty/compression";
import type { ModelVariant } from "@nasty/formats/hf";
import type { LabelChoice } from "@nasty/taggers";
import { exportTagger } from "@nasty/taggers/node";
import { UsageError } from "../exit-codes.js";
import { choiceOf } from "../inputs/label-choice.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes } from "../terminal/format.js";
import { versions } from "../versions.js";

interface ExportOptions extends CommonOptions, LabelChoice {
  readonly model: readonly string[];
  readonly output: string;
  readonly dtype?: ModelVariant;
  readonly modelType?: string;
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
  });
  terminal.progress.stop();
  const { files, ...rest } = exported;
  const bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
  const result = {
    models: paths,
    output: { path: output, bytes, files: Object.fromEntries(files) },
    ...rest,
  };
  terminal.result(result, () =>
    [
      `Wrote ${output} (${formatBytes(bytes)}): ${result.modelType}, ${result.variants.join(", ")}, ${result.labels.length} labels`,
      ...[...files].map(([name, file]) => `  ${name}  ${formatBytes(file.bytes)}`),
    ].join("\n"),
  );
}
