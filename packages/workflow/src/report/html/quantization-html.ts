import type { FlippedWords } from "../../comparison/write-flips.js";
import { quantizeOperation } from "../../operations/quantize.js";
import type { ActivationRange } from "../../quantization/activation-ranges.js";
import type { Gate } from "../../quantization/gate.js";
import type { QuantizationResult } from "../../quantization/quantization-result.js";
import { lossText, noiseText } from "../../quantization/sensitivity.js";
import type { QuantizeSettings } from "../../quantization/settings.js";
import { agreementLines } from "../agreement-text.js";
import { noAudit } from "../audit-text.js";
import { batchMatesText } from "../comparison-text.js";
import { driftLine } from "../drift-text.js";
import { formatBytes, formatCount, formatPercent, formatRatio } from "../format.js";
import { flipsHtml } from "./flips-html.js";
import { type Fact, factTable, type Html, htmlList, htmlTable, plots, section } from "./markup.js";
import { htmlPage } from "./page.js";
import { drawHistogram, drawRanges } from "./plots/activations.js";
import { drawBars } from "./plots/bars.js";
import { type Canvas, openCanvas } from "./plots/canvas.js";
import { drawLosses } from "./plots/loss.js";
import { drawSizes, drawValues } from "./plots/sizes.js";
import { runOf } from "./run.js";

/** What a report of one quantization is made of. */
export interface ReportedQuantization {
  readonly result: QuantizationResult;
  readonly settings: QuantizeSettings;
  /** Of static mode; empty otherwise. */
  readonly activations: readonly ActivationRange[];
  /** Undefined without a gate. */
  readonly flipped: FlippedWords | undefined;
}

/** Weights in the ranking that are drawn; the table has all of them. */
const rankedWeights = 40;

/** The report of one quantization as one self-contained page. */
export async function quantizationHtml(reported: ReportedQuantization): Promise<Html> {
  const { result, settings, activations, flipped } = reported;
  const { output, gate, modelBytes } = result;
  const canvas = await openCanvas();
  const sizes = [
    { name: "before", bytes: modelBytes },
    ...(output === null ? [] : [{ name: "after", bytes: output.bytes }]),
  ];
  const body = [
    factTable(factsOf(result)),
    section(
      "Before and after",
      plots(drawSizes(canvas, sizes), gate === null ? "" : gatePlots(canvas, gate)),
    ),
    flipped === undefined ? "" : section(changedTitle(gate), flipsHtml(flipped)),
    section("Weights", plots(noisePlot(canvas, result)), weightTable(result)),
    sensitivityHtml(canvas, result.sensitivity),
    section(
      "Activations",
      plots(drawRanges(canvas, activations)),
      plots(...activations.map((one) => drawHistogram(canvas, one))),
    ),
    section(
      "Left in float",
      htmlTable(
        ["node", "operator", "reason"],
        result.keptInFloat.map((kept) => [kept.name, kept.op, kept.reason]),
      ),
    ),
    section("Notes", htmlList(result.warnings)),
  ];
  const paths = [result.model, ...(output === null ? [] : [output.path])];
  return htmlPage(
    `Quantization of ${result.model}`,
    runOf(quantizeOperation, settings, { paths }),
    body.join(""),
  );
}

/** What the list of changes holds. */
const changedTitle = (gate: Gate | null): string =>
  gate !== null && gate.labelling === null ? "Answers that changed" : "Words that changed their label";

function factsOf(result: QuantizationResult): Fact[] {
  const { output, audit, gate, drift, batchMates } = result;
  return [
    ["Model", result.model],
    ["Mode", `${result.mode}${result.method === "none" ? "" : `, ${result.method}`}`],
    ["Size before", formatBytes(result.modelBytes)],
    ...writtenFacts(result, output),
    ...auditFacts(audit),
    ...(gate === null ? [] : gateFacts(gate)),
    ["Outputs", driftLine(drift).trim()],
    ...(batchMates === null
      ? []
      : [["Labels that depend on the batch", batchMatesText(batchMates)] as const]),
  ];
}

function writtenFacts({ modelBytes }: QuantizationResult, output: QuantizationResult["output"]): Fact[] {
  if (output === null) return [["Written", "nothing: the gate refused the model"]];
  return [
    ["Written", output.path],
    ["Size after", `${formatBytes(output.bytes)} (${formatRatio(modelBytes / output.bytes)} smaller)`],
    ["SHA-256", output.sha256],
  ];
}

function gateFacts(gate: Gate): Fact[] {
  const points = (loss: number): string => (loss * 100).toFixed(2);
  const { metric, original, quantized, loss, lossCi95, target, flips, keptInFloat, attempts } = gate;
  return [
    [
      `Gate (${gate.agreementOf ?? metric})`,
      `${formatPercent(original)} → ${formatPercent(quantized)}, loss ${points(loss)} points${target === null ? "" : `, target ${points(target)}: ${gate.passed ? "passed" : "failed"}`}`,
    ],
    ["95% interval of the loss", `${points(lossCi95[0])} to ${points(lossCi95[1])} points`],
    [changedTitle(gate), formatCount(flips)],
    ...agreementLines(gate.agreement ?? {}).map((line): Fact => ["Agreement", line]),
    ...(keptInFloat.length === 0
      ? []
      : [["Left in float to pass", `${keptInFloat.join(", ")} (${attempts} tried)`] as const]),
  ];
}

function auditFacts(audit: QuantizationResult["audit"]): Fact[] {
  if (audit === null) return [["Kernels", noAudit]];
  return [
    ["Quantized matrix kernels", String(audit.quantizedKernels)],
    ["Float matrix kernels", String(audit.floatMatMuls)],
    ["Stray quantize/dequantize pairs", String(audit.strayQdq)],
  ];
}

function gatePlots(canvas: Canvas, { metric, original, quantized, loss, lossCi95, target }: Gate): Html {
  const values = [
    { name: "before", value: original },
    { name: "after", value: quantized },
  ];
  const losses = [{ name: "quantized", loss, interval: lossCi95 }];
  return [drawValues(canvas, metric, values), drawLosses(canvas, metric, losses, target)].join("\n");
}

/** Decibels of each weight against its rounding, in the order of the graph. */
function noisePlot(canvas: Canvas, { tensors }: QuantizationResult): Html {
  const bars = tensors.map(({ layer, dtype, sqnrDb }) => ({
    name: layer,
    figure: sqnrDb === null ? "exact" : `${sqnrDb.toFixed(1)} dB`,
    value: sqnrDb,
    colour: dtype.includes("4") ? ("other" as const) : ("mark" as const),
  }));
  const hasBoth = new Set(bars.map(({ colour }) => colour)).size > 1;
  const note = `in the order of the graph; lower is noisier${hasBoth ? "; 4 bits in the other colour" : ""}`;
  return drawBars(canvas, { title: "Signal to noise of the weights", note }, "dB", bars);
}

function weightTable({ tensors }: QuantizationResult): Html {
  return htmlTable(
    ["layer", "operator", "type", "granularity", "SQNR, dB"],
    tensors.map((t) => [
      t.layer,
      t.op,
      t.dtype,
      t.granularity,
      t.sqnrDb === null ? "exact" : t.sqnrDb.toFixed(1),
    ]),
  );
}

function sensitivityHtml(canvas: Canvas, rows: QuantizationResult["sensitivity"]): Html {
  if (rows === null) return "";
  const drawn = rows.slice(0, rankedWeights);
  const nameOf = ({ nodes, group }: (typeof rows)[number]): string => nodes[0] ?? group;
  const note =
    drawn.length === rows.length
      ? "most sensitive first"
      : `the ${rankedWeights} most sensitive of ${rows.length}`;
  const noise = drawn.map((row) => ({
    name: nameOf(row),
    figure: row.outputNoise === 0 ? "exact" : `${noiseText(row)} dB`,
    value: row.outputNoise === 0 ? null : -10 * Math.log10(row.outputNoise),
  }));
  const measured = drawn.filter(({ loss }) => loss !== null);
  const losses = measured.map((row) => ({
    name: nameOf(row),
    figure: lossText(row),
    value: (row.loss ?? 0) * 100,
    colour: "other" as const,
  }));
  return section(
    "Sensitivity: each weight quantized alone",
    plots(
      drawBars(canvas, { title: "Signal to noise of the outputs", note }, "dB", noise),
      drawBars(canvas, { title: "Loss of the metric", note }, "points lost", losses),
    ),
    htmlTable(
      ["weight", "layer", "operator", "elements", "signal to noise of the outputs, dB", "loss, points"],
      rows.map((row) => [
        row.tensors.join(", "),
        row.nodes.join(", "),
        row.op,
        String(row.elements),
        noiseText(row),
        lossText(row),
      ]),
    ),
  );
}
