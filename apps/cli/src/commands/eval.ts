import { evaluate, type LabelChoice } from "@nasty/taggers";
import { choiceForText } from "@nasty/workflow/texts/label-choice";
import { openModel } from "@nasty/workflow/models/open-tagger";
import { readLabelled } from "@nasty/workflow/texts/labelled-text";
import { bytesOfModel } from "@nasty/workflow/models/model-bytes";
import { nameOf } from "@nasty/workflow/texts/text-form";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes, formatCount, formatMs, formatPercent } from "@nasty/workflow/report/format";
import { labellingDocument, labellingLines } from "@nasty/workflow/report/labelling-text";
import { labelTable, metricName } from "@nasty/workflow/report/score-table";

interface EvalOptions extends CommonOptions, LabelChoice {
  readonly model: string;
  readonly test: string;
  readonly exactBatches?: boolean;
}

/** `nasty eval`: accuracy or F1 of one model on labelled text, with a row a label. */
export async function evalModel(options: EvalOptions, terminal: Terminal): Promise<void> {
  const { tagger, modelPath, notes } = await openModel(options.model, {
    threads: options.threads,
    ...choiceForText(options),
  });
  for (const note of notes) terminal.note(note);
  try {
    const modelBytes = await bytesOfModel(modelPath);
    terminal.progress.start(`evaluating ${options.model} on ${options.test}`);
    const result = await evaluate(tagger, readLabelled(options.test, tagger.task), {
      path: nameOf(options.test),
      scheme: options.scheme,
      asTagged: options.exactBatches !== true,
    });
    terminal.progress.stop();
    const labelling = labellingDocument(result.labelling);
    const goldLabelling = labellingDocument(result.goldLabelling);
    const json = {
      task: result.task,
      scheme: labelling.scheme,
      metric: result.metric,
      value: result.value,
      ...(result.metric === "f1" ? { precision: result.precision, recall: result.recall } : {}),
      sentences: result.sentences,
      tokens: result.tokens,
      perLabel: result.perLabel,
      msPerSentence: result.msPerSentence,
      tokensPerSecond: result.tokensPerSecond,
      modelBytes,
      exactBatches: options.exactBatches === true,
      notes,
      labelling,
      goldLabelling,
    };
    terminal.result(json, () =>
      [
        `${metricName(result.metric)}: ${formatPercent(result.value)}` +
          (result.metric === "f1"
            ? `  (precision ${formatPercent(result.precision)}, recall ${formatPercent(result.recall)})`
            : ""),
        `${formatCount(result.sentences)} sentences, ${formatCount(result.tokens)} words${json.exactBatches ? ", one sentence at a time" : ""}`,
        `${formatMs(result.msPerSentence)} per sentence, ${formatCount(result.tokensPerSecond)} words/s, model ${formatBytes(modelBytes)}`,
        ...labellingLines(labelling, goldLabelling),
        "",
        labelTable(result.perLabel),
      ].join("\n"),
    );
  } finally {
    await tagger.close();
  }
}
