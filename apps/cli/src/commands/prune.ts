import { GateError } from "@nasty/workflow/command";
import { planPruning, pruningRefusal, runPruning } from "@nasty/workflow/pruning";
import { resultDocument } from "@nasty/workflow/report";
import { pruningPlanText, pruningText } from "../pruning/pruning-text.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";

export type PruneCommandOptions = CommonOptions &
  Parameters<typeof runPruning>[0] & { readonly dryRun?: boolean };

/** `nasty prune`: a smaller model, or with `--dry-run` the plan of it. */
export async function prune(options: PruneCommandOptions, terminal: Terminal): Promise<void> {
  const { model } = options;
  if (options.dryRun === true) {
    const plan = await planPruning(options, terminal);
    terminal.result({ model, output: null, plan }, () => pruningPlanText(plan));
    return;
  }
  const result = await runPruning(options, terminal);
  if (!result.passed) throw new GateError(pruningRefusal(model, result.gate));
  terminal.result(resultDocument(result), () => pruningText(result));
}
