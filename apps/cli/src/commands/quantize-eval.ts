import type { LabelChoice } from "@nasty/taggers";
import { compareModels } from "@nasty/workflow/comparison/compare-models";
import { comparisonText } from "@nasty/workflow/report/comparison-text";
import { writeFlips } from "@nasty/workflow/comparison/write-flips";
import { choiceForText } from "@nasty/workflow/texts/label-choice";
import { checkWritable } from "@nasty/workflow/files/output-path";
import { checkSeparate } from "@nasty/workflow/files/separate-paths";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { labellingLines } from "@nasty/workflow/report/labelling-text";

interface QuantizeEvalOptions extends CommonOptions, LabelChoice {
  readonly original: string;
  readonly quantized: string;
  readonly test: string;
  readonly flips?: string;
}

/** `nasty quantize eval`: a model and its quantized form side by side on labelled text. */
export async function quantizeEval(options: QuantizeEvalOptions, terminal: Terminal): Promise<void> {
  const { original, quantized, test, threads, seed } = options;
  if (options.flips !== undefined) await checkWritable("quantize eval: --flips", options.flips);
  await checkSeparate("quantize eval", { "--flips": options.flips }, [original, quantized, test]);
  const comparison = await compareModels(
    { original, quantized, test, threads, seed, ...choiceForText(options) },
    terminal.progress,
  );
  if (options.flips !== undefined) await writeFlips(options.flips, comparison);
  const { flips, sentences: _, ...json } = comparison;
  // The layout of the result is the guide's, and has no place for them.
  for (const line of labellingLines(json.labelling, json.goldLabelling)) terminal.note(line);
  terminal.result({ ...json, summary: { ...json.summary, flips: flips.length } }, () =>
    comparisonText(comparison),
  );
}
