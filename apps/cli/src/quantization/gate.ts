import { type Evaluation, evaluate, type LabelledSentence, type Metric } from "@nasty/taggers";
import { readLabelled } from "../inputs/labelled-text.js";
import { openModel } from "../inputs/model.js";
import { nameOf } from "../inputs/text-form.js";
import { collectAll } from "../inputs/collect-all.js";
import type { Progress } from "../terminal/progress.js";

export interface GateRequest {
  /** Largest loss that passes, in units of the metric: 0.01 is one point. */
  readonly target: number;
  readonly validation: string;
  readonly threads: number;
}

/** What the gate measured on the written file. */
export interface Gate {
  readonly metric: Metric;
  readonly original: number;
  readonly quantized: number;
  readonly loss: number;
  readonly target: number;
  readonly passed: boolean;
  /** Weights left in float to pass. */
  readonly keptInFloat: readonly string[];
}

/** Tags the validation text with both files and compares the loss with the target. */
export async function checkGate(
  request: GateRequest,
  original: string,
  quantized: string,
  progress: Progress,
): Promise<Gate> {
  let sentences: readonly LabelledSentence[] | undefined;
  const valueOf = async (path: string, title: string): Promise<Evaluation> => {
    const { tagger } = await openModel(path, request);
    try {
      sentences ??= await collectAll(readLabelled(request.validation, tagger.task));
      progress.start(`gate: tagging ${sentences.length} sentences with ${title}`, sentences.length);
      return await evaluate(tagger, sentences, {
        path: nameOf(request.validation),
        batchSize: 1,
        onProgress: (done) => progress.update(done),
      });
    } finally {
      progress.stop();
      await tagger.close();
    }
  };
  const before = await valueOf(original, "the original");
  const after = await valueOf(quantized, "the written file");
  const loss = before.value - after.value;
  return {
    metric: before.metric,
    original: before.value,
    quantized: after.value,
    loss,
    target: request.target,
    passed: loss <= request.target,
    keptInFloat: [],
  };
}

/** Why a model was refused, and what to try. */
export function refusal(model: string, { metric, original, quantized, loss, target }: Gate): string {
  const percent = (value: number): string => (value * 100).toFixed(2);
  return (
    `quantize: ${model}: accuracy gate: expected a loss of at most ${percent(target)} points of ${metric}, ` +
    `got ${percent(loss)} (${percent(original)} -> ${percent(quantized)}), nothing was written; ` +
    "try --mode dynamic, more calibration text, --asymmetric, or --skip-layers for the layers with the lowest signal-to-noise ratio"
  );
}
