import { type ExportResult, runExport } from "@nasty/workflow/exporting";
import { driftLine, formatBytes, resultDocument } from "@nasty/workflow/report";
import type { CommonOptions, Terminal } from "../terminal/console.js";

/** `nasty export`: one or more models as a Hugging Face directory. */
export async function exportModels(
  options: CommonOptions & Parameters<typeof runExport>[0],
  terminal: Terminal,
): Promise<void> {
  const result = await runExport(options, terminal);
  terminal.result(resultDocument(result), () => exportText(result));
}

function exportText({ output, modelType, variants, labels, drift }: ExportResult): string {
  return [
    `Wrote ${output.path} (${formatBytes(output.bytes)}): ${modelType}, ${variants.join(", ")}, ${labels.length} labels`,
    ...Object.entries(output.files).map(([name, file]) => `  ${name}  ${formatBytes(file.bytes)}`),
    ...Object.entries(drift).map(([variant, check]) => driftLine(check, `those of the source of ${variant}`)),
  ].join("\n");
}
