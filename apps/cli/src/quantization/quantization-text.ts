import type { QuantizationPlan } from "@nasty/compression";
import type { Audit } from "@nasty/runtime";
import {
  type Gate,
  granularityText,
  lossText,
  noiseText,
  type QuantizationResult,
  type SensitivityRow,
} from "@nasty/workflow/quantization";
import {
  agreementLines,
  batchMatesText,
  driftLine,
  formatCount,
  formatPercent,
  labellingLines,
  noAudit,
  table,
} from "@nasty/workflow/report";
import { sizeLine } from "./size-line.js";

const worstShown = 5;
const sensitiveShown = 10;

/** Reasons with how many nodes they hold for, most frequent first. */
function reasonLines(kept: readonly { readonly op: string; readonly reason: string }[]): string[] {
  const counts = new Map<string, number>();
  for (const { op, reason } of kept) {
    const line = `${op}: ${reason}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([line, count]) => `  ${formatCount(count)} × ${line}`);
}

function points(loss: number): string {
  return (loss * 100).toFixed(2);
}

function gateLines(gate: Gate): string[] {
  const { metric, original, quantized, loss, lossCi95, target, keptInFloat } = gate;
  const judged = target === null ? "points" : `of at most ${points(target)} points: passed`;
  return [
    `  ${target === null ? "measured" : "gate"}: ${gate.agreementOf ?? metric} ${formatPercent(original)} -> ${formatPercent(quantized)}, loss ${points(loss)} ${judged}`,
    `  ${changedText(gate)}; 95% interval of the loss ${points(lossCi95[0])} to ${points(lossCi95[1])} points`,
    ...(gate.labelling === null
      ? []
      : labellingLines(gate.labelling, gate.goldLabelling ?? undefined).map((line) => `  ${line}`)),
    ...(gate.agreement === undefined ? [] : agreementLines(gate.agreement).map((line) => `  ${line}`)),
    ...(keptInFloat.length === 0
      ? []
      : [`  left in float to pass: ${keptInFloat.join(", ")} (${formatCount(gate.attempts)} tried)`]),
  ];
}

/** `3 words changed their label`, or what is counted instead where there are none. */
function changedText({ flips, labelling, agreementOf }: Gate): string {
  const isOne = flips === 1;
  if (labelling !== null || agreementOf === undefined) {
    const [word, label] = labelling === null ? ["sample", "answer"] : ["word", "label"];
    return `${isOne ? `1 ${word}` : `${formatCount(flips)} ${word}s`} changed ${isOne ? "its" : "their"} ${label}`;
  }
  return `${isOne ? "1 answer" : `${formatCount(flips)} answers`} changed`;
}

function sensitivityLines(rows: readonly SensitivityRow[] | null): string[] {
  if (rows === null || rows.length === 0) return [];
  const hasLoss = rows.some(({ loss }) => loss !== null);
  return [
    "",
    `Most sensitive weights, each quantized alone${hasLoss ? "" : " (signal-to-noise ratio at the outputs)"}:`,
    table(
      ["layer", "op", "outputs, dB", ...(hasLoss ? ["loss, points"] : [])],
      rows
        .slice(0, sensitiveShown)
        .map((row) => [row.nodes.join(", "), row.op, noiseText(row), ...(hasLoss ? [lossText(row)] : [])]),
      ["left", "left", "right", "right"],
    ),
  ];
}

/**
 * What the runtime executes, and whether the file's integer products are the same everywhere; the audit warns where
 * they are not.
 */
function auditLines(audit: QuantizationResult["audit"]): string[] {
  if (audit === null) return [`  runtime: ${noAudit}`];
  const { quantizedKernels, floatMatMuls, strayQdq } = audit;
  return [
    `  runtime: ${quantizedKernels} quantized matrix kernels, ${floatMatMuls} float, ${strayQdq} stray quantize/dequantize pairs`,
    ...pairLines(audit),
  ];
}

function pairLines({ unsafePairs, unsafeProducts }: Audit): string[] {
  if (unsafePairs !== 0 || unsafeProducts === null || unsafeProducts.all === 0) return [];
  return [
    `  the same integers on every processor: no unsafe pair of weights in ${unsafeProducts.all} products`,
  ];
}

/** How the plan's int8 products are kept exact; nothing where there are none. */
function pairsText({ tensors }: QuantizationPlan): string {
  const products = tensors.filter(({ pairAxes }) => pairAxes.length > 0);
  if (products.length === 0) return "";
  const isExact = products.every(({ pairs, reduceRange }) => pairs === "safe" || reduceRange);
  return isExact ? ", safe pairs" : ", full pairs (exact with int8 dot products only)";
}

/** What `--dry-run` prints. */
export function planText(
  plan: QuantizationPlan,
  sensitivity: readonly SensitivityRow[] | null = null,
): string {
  return [
    `Plan: ${plan.mode}, ${formatCount(plan.tensors.length)} weights${pairsText(plan)}`,
    "",
    table(
      ["layer", "op", "shape", "as", "granularity", "read by"],
      plan.tensors.map((tensor) => [
        tensor.layer,
        tensor.op,
        `[${tensor.shape.join(", ")}]`,
        tensor.dtype,
        granularityText(tensor.granularity),
        formatCount(tensor.sites.length),
      ]),
      ["left", "left", "left", "left", "left", "right"],
    ),
    ...sensitivityLines(sensitivity),
    ...(plan.keptInFloat.length === 0 ? [] : ["", "Left in float:", ...reasonLines(plan.keptInFloat)]),
    ...plan.warnings.map((warning) => `Note: ${warning}`),
  ].join("\n");
}

/** The result of `nasty quantize` for a person to read; MB = 10^6 bytes. */
export function quantizationText(result: QuantizationResult): string {
  const { output, audit, gate, tensors } = result;
  const worst = [...tensors]
    .filter(({ sqnrDb }) => sqnrDb !== null)
    .sort((a, b) => (a.sqnrDb ?? 0) - (b.sqnrDb ?? 0))
    .slice(0, worstShown);
  return [
    ...(output === null
      ? []
      : [
          `Wrote ${output.path}`,
          `  ${sizeLine({ path: result.model, bytes: result.modelBytes }, output)}, sha256 ${output.sha256.slice(0, 16)}…`,
        ]),
    `  ${formatCount(tensors.length)} weights quantized (${result.mode}${result.method === "none" ? "" : `, ${result.method}`})`,
    ...auditLines(audit),
    driftLine(result.drift),
    ...(gate === null ? [] : gateLines(gate)),
    ...(result.batchMates === null
      ? []
      : [`  labels that depend on the batch: ${batchMatesText(result.batchMates)}`]),
    ...(worst.length === 0
      ? []
      : [
          "",
          "Layers whose weights lost most (signal-to-noise ratio):",
          table(
            ["layer", "op", "dB"],
            worst.map(({ layer, op, sqnrDb }) => [layer, op, (sqnrDb ?? 0).toFixed(1)]),
            ["left", "left", "right"],
          ),
        ]),
    ...sensitivityLines(result.sensitivity),
    ...(result.keptInFloat.length === 0 ? [] : ["", "Left in float:", ...reasonLines(result.keptInFloat)]),
    ...result.warnings.map((warning) => `Note: ${warning}`),
  ].join("\n");
}
