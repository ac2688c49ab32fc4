import { GateError } from "@nasty/workflow/command";
import { type GivenSettings, refusal, runPlan, runQuantization } from "@nasty/workflow/quantization";
import { planText, quantizationText } from "../quantization/quantization-text.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";

export type QuantizeOptions = CommonOptions & GivenSettings;

/** `nasty quantize`: plan, write beside the output, gate, load and audit what was written, then give it its name. */
export async function quantize(options: QuantizeOptions, terminal: Terminal): Promise<void> {
  if (options.dryRun === true) return printPlan(options, terminal);
  const result = await runQuantization(options, terminal);
  if (result.output === null && result.gate !== null) {
    // Scripts read the figures of a refused model too.
    if (options.json) terminal.result(result, () => "");
    throw new GateError(refusal(result.model, result.gate));
  }
  terminal.result(result, () => quantizationText(result));
}

/** `nasty quantize --dry-run`. */
async function printPlan(options: QuantizeOptions, terminal: Terminal): Promise<void> {
  const planned = await runPlan(options, terminal);
  const { mode, method, estimatedBytes, plan, sensitivity } = planned;
  terminal.result(
    { model: planned.model.path, output: null, mode, method, estimatedBytes, plan, sensitivity },
    () => planText(plan, sensitivity),
  );
}
