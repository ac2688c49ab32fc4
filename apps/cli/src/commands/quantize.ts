import { GateError } from "@nasty/workflow/command";
import {
  partsOf,
  type PartsResult,
  runPlanOfParts,
  runQuantizationOfParts,
} from "@nasty/workflow/quantization/parts";
import { type GivenSettings, refusal, runPlan, runQuantization } from "@nasty/workflow/quantization";
import { planText, quantizationText } from "../quantization/quantization-text.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";

export type QuantizeOptions = CommonOptions & GivenSettings;

/** `nasty quantize`: plan, write beside the output, gate, load and audit what was written, then give it its name. */
export async function quantize(options: QuantizeOptions, terminal: Terminal): Promise<void> {
  const parts = await partsOf(options);
  if (parts.length > 0) return quantizeEach(options, parts, terminal);
  if (options.dryRun === true) return printPlan(options, terminal);
  const result = await runQuantization(options, terminal);
  if (result.output === null && result.gate !== null) {
    // Scripts read the figures of a refused model too.
    if (options.json) terminal.result(result, () => "");
    throw new GateError(refusal(result.model, result.gate));
  }
  terminal.result(result, () => quantizationText(result));
}

type Planned = Awaited<ReturnType<typeof runPlan>>;

/** What a dry run says of a model. */
const plannedResult = ({ model, mode, method, estimatedBytes, plan, sensitivity }: Planned) => ({
  model: model.path,
  output: null,
  mode,
  method,
  estimatedBytes,
  plan,
  sensitivity,
});

/** `nasty quantize --dry-run`. */
async function printPlan(options: QuantizeOptions, terminal: Terminal): Promise<void> {
  const planned = await runPlan(options, terminal);
  terminal.result(plannedResult(planned), () => planText(planned.plan, planned.sensitivity));
}

/** `nasty quantize` of a folder that holds several models. */
async function quantizeEach(
  options: QuantizeOptions,
  parts: readonly string[],
  terminal: Terminal,
): Promise<void> {
  if (options.dryRun === true) {
    const planned = await runPlanOfParts(options, parts, terminal);
    terminal.result({ ...planned, models: planned.models.map(plannedResult) }, () =>
      partsText(planned, ({ model, plan, sensitivity }) => `${model.path}\n${planText(plan, sensitivity)}`),
    );
    return;
  }
  const result = await runQuantizationOfParts(options, parts, terminal);
  terminal.result(result, () => partsText(result, quantizationText));
}

function partsText<One>({ models, unchanged }: PartsResult<One>, textOf: (one: One) => string): string {
  const left = unchanged.map(({ path, reason }) => `${path} stays as it is: ${reason}`);
  return [...models.map(textOf), ...left].join("\n\n");
}
