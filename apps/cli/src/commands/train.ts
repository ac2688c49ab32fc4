import { checkAgreement, exportOf } from "@nasty/workflow/fine-tuning";
import { formatCount, resultDocument } from "@nasty/workflow/report";
import { runTraining } from "@nasty/workflow/training";
import type { Terminal } from "../terminal/console.js";
import { trainedText } from "../training/trained-text.js";

/**
 * `nasty train`: a tagger from random weights. An interrupted run goes on from `OUTPUT.checkpoint` when the same
 * command is given again, and ends with the same bytes as one that was not interrupted.
 */
export async function train(options: Parameters<typeof runTraining>[0], terminal: Terminal): Promise<void> {
  const result = await runTraining(options, terminal);
  const { output, validation } = options;
  const pretraining = "pretraining" in result ? result.pretraining : undefined;
  const about = pretraining && `, pretrained on ${formatCount(pretraining.words)} words`;
  terminal.result(resultDocument(result), () =>
    trainedText({ result, output, validation, exported: exportOf(result), ...(about && { about }) }),
  );
  checkAgreement("train", exportOf(result));
}
