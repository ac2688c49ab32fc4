import { checkAgreement, exportOf, runFineTuning } from "@nasty/workflow/fine-tuning";
import { resultDocument } from "@nasty/workflow/report";
import type { Terminal } from "../terminal/console.js";
import { trainedText } from "../training/trained-text.js";

/**
 * `nasty fine-tune`: a pretrained encoder becomes a tagger, written as a Hugging Face directory. An interrupted run
 * goes on from `checkpoint` in the output directory when the same command is given again.
 */
export async function fineTuneModel(
  options: Parameters<typeof runFineTuning>[0],
  terminal: Terminal,
): Promise<void> {
  const result = await runFineTuning(options, terminal);
  const { output, validation } = options;
  terminal.result(resultDocument(result), () =>
    trainedText({ result, output, validation, exported: exportOf(result) }),
  );
  checkAgreement("fine-tune", exportOf(result));
}
