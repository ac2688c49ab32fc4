import { runDistillation } from "@nasty/workflow/distillation";
import { resultDocument } from "@nasty/workflow/report";
import type { Terminal } from "../terminal/console.js";
import { trainedText } from "../training/trained-text.js";

/**
 * `nasty distill`: a smaller tagger learns from one teacher or several: a `cnn` or `bilstm`, written as a model file,
 * or an encoder, written as a Hugging Face directory.
 */
export async function distillModel(
  options: Parameters<typeof runDistillation>[0],
  terminal: Terminal,
): Promise<void> {
  const result = await runDistillation(options, terminal);
  const { student, parameters } = result;
  const about =
    student === "transformer"
      ? ""
      : `: ${student} of ${parameters.student} parameters, teachers ${parameters.teacher}`;
  const { output, validation } = options;
  terminal.result(resultDocument(result), () => trainedText({ result, output, validation, about }));
}
