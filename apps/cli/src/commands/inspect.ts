import { relative } from "node:path";
import { type InspectionResult, runInspection } from "@nasty/workflow/inspection";
import { formatBytes, formatCount, labellingLines, table } from "@nasty/workflow/report";
import type { Terminal } from "../terminal/console.js";
import { historyText } from "../terminal/history-text.js";

/** `nasty inspect`: what a model holds: operators, weights by type, tagger, how it was made. */
export async function inspect(
  options: Parameters<typeof runInspection>[0],
  terminal: Terminal,
): Promise<void> {
  const result = await runInspection(options, terminal);
  const { products: _, ...json } = result;
  terminal.result(json, () => inspectionText(result));
}

function inspectionText(result: InspectionResult): string {
  const { path, modelPath, modelBytes, compressed, tagger, deployment, history, files } = result;
  return [
    `${modelPath}: ${formatBytes(modelBytes)}${compressed === null ? "" : ` (${compressed.method} of ${formatBytes(compressed.modelBytes)})`}`,
    `  opset ${Object.entries(result.opsets)
      .map(([domain, version]) => `${domain} ${version}`)
      .join(", ")}; IR ${result.irVersion}${result.producer === "" ? "" : `; made by ${result.producer}`}`,
    `  ${formatCount(result.parameters)} parameters, ${formatCount(result.nodes)} nodes`,
    ...(tagger === null
      ? ["  no tagger inside or beside it"]
      : [
          `  ${tagger.task} tagger (${tagger.kind}): ${tagger.labels.join(" ")}`,
          ...labellingLines(tagger.labelling).map((line) => `  ${line}`),
        ]),
    ...(deployment === null
      ? []
      : [
          `  devices here: ${deployment.devices.join(", ")}; ship ${deployment.precision === "float" ? "the float32 model" : "the INT8 model"} to ${deployment.device}`,
        ]),
    "",
    table(
      ["weights", "tensors", "size"],
      result.precisions.map(({ dtype, tensors, bytes }) => [dtype, formatCount(tensors), formatBytes(bytes)]),
    ),
    "",
    table(
      ["operator", "nodes"],
      result.ops.map(({ domain, op, count }) => [domain === "" ? op : `${domain}.${op}`, formatCount(count)]),
    ),
    "",
    ...productLines(result),
    ...historyText(history),
    ...files
      .filter((file) => file.modelPath !== modelPath)
      .flatMap((file) => [
        "",
        `${relative(path, file.modelPath)} (${file.variant}): ${formatBytes(file.modelBytes)}`,
        ...historyText(file.history),
      ]),
  ].join("\n");
}

/** Whether the file's int8 products are the same on every processor. */
function productLines({ products, integerProducts: { unsafePairs } }: InspectionResult): string[] {
  const unsafe = products.filter((product) => product.unsafe > 0);
  const [worst] = [...unsafe].sort((a, b) => b.unsafe / b.pairs - a.unsafe / a.pairs);
  if (products.length === 0) return [];
  if (worst === undefined)
    return [
      `${formatCount(products.length)} int8 weights of products: the same integers on every processor`,
      "",
    ];
  return [
    `${formatCount(unsafe.length)} of ${formatCount(products.length)} int8 weights of products hold ${formatCount(unsafePairs)} pairs that can overflow 16-bit sums:`,
    `  on processors without int8 dot products (x86 without VNNI) the file computes other numbers; most in ${worst.node} (${((100 * worst.unsafe) / worst.pairs).toFixed(1)}% of the pairs).`,
    "  Quantize the float model again: safe pairs are the default.",
    "",
  ];
}
