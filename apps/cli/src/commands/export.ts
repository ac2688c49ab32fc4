import { type ExportResult, runExport } from "@nasty/workflow/exporting";
import { driftLine, formatBytes, resultDocument } from "@nasty/workflow/report";
import type { CommonOptions, Terminal } from "../terminal/console.js";

/** `nasty export`: one or more models as a Hugging Face directory, or one as an ES module. */
export async function exportModels(
  options: CommonOptions & Parameters<typeof runExport>[0],
  terminal: Terminal,
): Promise<void> {
  const result = await runExport(options, terminal);
  terminal.result(resultDocument(result), () => exportText(result));
}

function exportText(result: ExportResult): string {
  const { output } = result;
  return [
    `Wrote ${output.path} (${formatBytes(output.bytes)}): ${whatOf(result)}, ${result.labels.length} labels`,
    ...Object.entries(output.files).map(([name, file]) => `  ${name}  ${formatBytes(file.bytes)}`),
    ...(result.kind === "directory"
      ? Object.entries(result.drift).map(([variant, check]) =>
          driftLine(check, `those of the source of ${variant}`),
        )
      : [`The written module gave the model's labels for ${result.checked.words} words.`]),
  ].join("\n");
}

function whatOf(result: ExportResult): string {
  if (result.kind === "directory") return `${result.modelType}, ${result.variants.join(", ")}`;
  return result.task === "ner" ? "a module that tags entities" : "a module that tags parts of speech";
}
