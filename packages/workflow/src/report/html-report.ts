import { writeFileAtomic } from "@nasty/formats/archive/node";
import type { QuantizationResult } from "../quantization/quantization-result.js";
import { batchMatesText } from "./comparison-text.js";
import { formatBytes, formatCount, formatPercent, formatRatio } from "./format.js";
import type { Gate } from "../quantization/gate.js";
import { lossText, noiseText } from "../quantization/sensitivity.js";
import { noAudit } from "./audit-text.js";

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character]!);
}

export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: "td" | "th", row: readonly string[]): string =>
    row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("");
  return `<table><thead><tr>${cells("th", head)}</tr></thead><tbody>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}</tbody></table>`;
}

/** One self-contained page: no scripts, no fonts, nothing loaded from elsewhere. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { text-align: left; padding: .25rem .75rem; border-bottom: 1px solid #ddd; }
</style></head><body>
<h1>${escapeHtml(title)}</h1>
${body}
</body></html>
`;
}

function gateFacts(gate: Gate): [string, string][] {
  const points = (loss: number): string => (loss * 100).toFixed(2);
  const { metric, original, quantized, loss, lossCi95, target, flips, keptInFloat, attempts } = gate;
  return [
    [
      `Gate (${metric})`,
      `${formatPercent(original)} → ${formatPercent(quantized)}, loss ${points(loss)} points${target === null ? "" : `, target ${points(target)}: ${gate.passed ? "passed" : "failed"}`}`,
    ],
    ["95% interval of the loss", `${points(lossCi95[0])} to ${points(lossCi95[1])} points`],
    ["Words that changed their label", formatCount(flips)],
    ...(keptInFloat.length === 0
      ? []
      : ([["Left in float to pass", `${keptInFloat.join(", ")} (${attempts} tried)`]] as [string, string][])),
  ];
}

function auditFacts(audit: QuantizationResult["audit"]): [string, string][] {
  if (audit === null) return [["Kernels", noAudit]];
  return [
    ["Quantized matrix kernels", String(audit.quantizedKernels)],
    ["Float matrix kernels", String(audit.floatMatMuls)],
    ["Stray quantize/dequantize pairs", String(audit.strayQdq)],
  ];
}

/** The report of one quantization. */
export function reportHtml(result: QuantizationResult): string {
  const { output, audit, gate } = result;
  const facts: [string, string][] = [
    ["Model", result.model],
    ["Mode", `${result.mode}${result.method === "none" ? "" : `, ${result.method}`}`],
    ["Size before", formatBytes(result.modelBytes)],
    ...(output === null
      ? []
      : ([
          ["Written", output.path],
          [
            "Size after",
            `${formatBytes(output.bytes)} (${formatRatio(result.modelBytes / output.bytes)} smaller)`,
          ],
          ["SHA-256", output.sha256],
        ] as [string, string][])),
    ...auditFacts(audit),
    ...(gate === null ? [] : gateFacts(gate)),
    ...(result.batchMates === null
      ? []
      : ([["Labels that depend on the batch", batchMatesText(result.batchMates)]] as [string, string][])),
  ];
  return htmlPage(
    `Quantization of ${result.model}`,
    `${htmlTable(["", ""], facts)}
<h2>Weights</h2>
${htmlTable(
  ["layer", "operator", "type", "granularity", "SQNR, dB"],
  result.tensors.map((t) => [
    t.layer,
    t.op,
    t.dtype,
    t.granularity,
    t.sqnrDb === null ? "exact" : t.sqnrDb.toFixed(1),
  ]),
)}
${sensitivityHtml(result.sensitivity)}<h2>Left in float</h2>
${htmlTable(
  ["node", "operator", "reason"],
  result.keptInFloat.map((kept) => [kept.name, kept.op, kept.reason]),
)}
<h2>Notes</h2>
<ul>${result.warnings.map((warning) => `<li>${escapeHtml(warning)}</li>`).join("\n")}</ul>`,
  );
}

function sensitivityHtml(rows: QuantizationResult["sensitivity"]): string {
  if (rows === null) return "";
  const body = rows.map((row) => [
    row.tensors.join(", "),
    row.nodes.join(", "),
    row.op,
    String(row.elements),
    noiseText(row),
    lossText(row),
  ]);
  return `<h2>Sensitivity: each weight quantized alone</h2>
${htmlTable(["weight", "layer", "operator", "elements", "signal to noise of the outputs, dB", "loss, points"], body)}
`;
}

export async function writeReport(path: string, result: QuantizationResult): Promise<void> {
  await writeFileAtomic(path, [new TextEncoder().encode(reportHtml(result))]);
}
