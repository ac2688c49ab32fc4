import { GateError } from "@nasty/workflow/command";
import {
  type ComparisonSettings,
  driftRefusal,
  PairComparison,
  runComparison,
} from "@nasty/workflow/comparison";
import { comparisonText, labellingLines } from "@nasty/workflow/report";
import type { CommonOptions, Terminal } from "../terminal/console.js";

interface QuantizeEvalOptions
  extends CommonOptions,
    Omit<ComparisonSettings, "models" | keyof CommonOptions> {
  readonly original: string;
  readonly quantized: string;
}

/** `nasty quantize eval`: a model and its quantized form side by side on labelled text. */
export async function quantizeEval(options: QuantizeEvalOptions, terminal: Terminal): Promise<void> {
  const { original, quantized, ...settings } = options;
  const comparison = await comparePair([original, quantized], settings, terminal);
  const { models: _, ...json } = comparison;
  // The layout of the result is the guide's, and has no place for them.
  if (json.labelling !== null) {
    for (const line of labellingLines(json.labelling, json.goldLabelling ?? undefined)) terminal.note(line);
  }
  terminal.result(json, () => comparisonText(comparison));
  const { passed, maxDrift, agreement } = comparison;
  // Scripts read the figures of a refused model too.
  if (passed === false) throw new GateError(driftRefusal(comparison, maxDrift ?? 0, agreement ?? 0));
}

/** Compares two models. */
export async function comparePair(
  models: readonly [original: string, quantized: string],
  settings: Omit<ComparisonSettings, "models">,
  terminal: Terminal,
): Promise<PairComparison> {
  const comparison = await runComparison({ ...settings, models }, terminal);
  if (comparison instanceof PairComparison) return comparison;
  throw new TypeError("quantize eval: two models are a pair");
}
