import { type ImportResult, runImport } from "@nasty/workflow/importing";
import { formatBytes, formatCount, resultDocument } from "@nasty/workflow/report";
import type { CommonOptions, Terminal } from "../terminal/console.js";

/** `nasty import`: a model of another framework as a model file. */
export async function importModel(
  options: CommonOptions & Parameters<typeof runImport>[1],
  terminal: Terminal,
  directory: string,
): Promise<void> {
  const result = await runImport(directory, options, terminal);
  terminal.result(resultDocument(result), () => importText(result));
}

function importText({ model, output, layers, parameters, inputs, outputs, tagger }: ImportResult): string {
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
