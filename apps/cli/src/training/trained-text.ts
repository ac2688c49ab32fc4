import type { TrainingResult } from "@nasty/workflow/distillation";
import type { TextTrainingResult, TrainedExport } from "@nasty/workflow/fine-tuning";
import { driftLine, formatBytes, formatPercent } from "@nasty/workflow/report";

export interface TrainedText {
  readonly result: TrainingResult | TextTrainingResult;
  /** As the user named them. */
  readonly output: string;
  readonly validation: string | undefined;
  readonly exported?: TrainedExport | undefined;
  /** What else is to be said of the model. */
  readonly about?: string;
}

/** A trained model for people. */
export function trainedText({ result, output, validation, exported, about = "" }: TrainedText): string {
  const { metric, value, bestEpoch, path, bytes, drift } = result;
  const measured =
    value === null
      ? `${metric}: not measured (no --validation)`
      : `${metric} on ${validation}: ${shownValue(value, result)} (epoch ${bestEpoch})`;
  return [
    `Wrote ${path} (${formatBytes(bytes)})${about}`,
    `  ${measured}`,
    driftLine(drift, "the trained model's"),
    ...(exported === undefined ? [`Next: nasty quantize --model ${output}`] : exportText(exported)),
  ].join("\n");
}

/** A cosine is no share; a classifier has a second figure. */
function shownValue(value: number, result: TrainedText["result"]): string {
  if (result.metric === "cosine") return value.toFixed(4);
  const macroF1 = "macroF1" in result ? result.macroF1 : null;
  return `${formatPercent(value)}${macroF1 === null ? "" : `, macro F1 ${formatPercent(macroF1)}`}`;
}

/** Lines about a quantized file; none about one that was refused, of which `checkAgreement` speaks. */
export function exportText(exported: TrainedExport): string[] {
  if (!exported.passed) return [];
  const { path, bytes, bits, activations, value, agreement } = exported;
  const how = bits === 4 ? "INT4" : `INT8, ${activations} activations`;
  return [
    `Wrote ${path} (${formatBytes(bytes)}, ${how}, as trained)`,
    ...(value === null || agreement === null
      ? []
      : [
          `  ${formatPercent(value)}; ${agreement.same} of ${agreement.words} words labelled as by the trained graph (${formatPercent(agreement.share)})`,
        ]),
    `Next: nasty eval --model ${path} --test test.conllu`,
  ];
}
