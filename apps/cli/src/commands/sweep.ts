import { GateError } from "@nasty/workflow/command";
import { selectedLine, sweepPlanText, sweepText } from "@nasty/workflow/report";
import { planSweep, runSweep } from "@nasty/workflow/sweeping";
import type { Terminal } from "../terminal/console.js";

/** `nasty sweep`: many recipes on one model, the frontier of what is worth its size. */
export async function sweep(
  options: Parameters<typeof runSweep>[0] & { readonly dryRun?: boolean },
  terminal: Terminal,
  path: string,
): Promise<void> {
  if (options.dryRun === true) {
    const plan = await planSweep(options, terminal, path);
    terminal.result(plan, () => sweepPlanText(plan));
    return;
  }
  const result = await runSweep(options, terminal, path);
  terminal.result(result, () => sweepText(result));
  if (!result.passed) throw new GateError(`sweep: ${result.sweep}: ${selectedLine(result)}`);
}
