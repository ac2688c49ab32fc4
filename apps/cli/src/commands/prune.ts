import { GateError } from "@nasty/workflow/errors";
import { planPruning, runPruning } from "@nasty/workflow/pruning/prune";
import { pruningRefusal } from "@nasty/workflow/pruning/quality";
import { pruningPlanText, pruningText } from "../pruning/pruning-text.js";
import { resultDocument } from "@nasty/workflow/report/result-document";
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
