import { type LayerSensitivity, sensitivity } from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import type { LabelChoice } from "@nasty/taggers";
import type { Labelled } from "../kinds/kind.js";
import { spread } from "../texts/spread.js";
import type { Reporter } from "../reporter.js";
import { encodedBatches, type FedModel } from "./calibration-batches.js";
import type { Planned } from "./planned.js";
import type { Samples } from "./trial-text.js";

/** What one weight, or weights that stay together, cost by themselves; as the JSON document has it. */
export interface SensitivityRow extends Pick<LayerSensitivity, "tensors" | "nodes" | "op" | "elements"> {
  /** Name of its first weight. */
  readonly group: string;
  /** Σ(x − x̂)² / Σx² of the model's outputs when nothing else is quantized. */
  readonly outputNoise: number;
  /** Loss of the metric when nothing else is quantized; null where it was not measured. */
  readonly loss: number | null;
}

interface SensitivityRequest {
  readonly threads: number;
  /** What to compare outputs on. */
  readonly samples: Samples;
  /** Text to measure the metric on. */
  readonly labelled?: readonly Labelled[] | undefined;
  /** Scheme of its labels, where it is theirs. */
  readonly scheme?: LabelChoice["scheme"];
  /** Seconds after which the metric of no further weight is measured. */
  readonly timeBudget?: number | undefined;
}

/** What is measured is one step of the search. */
const silent: Reporter["progress"] = { start() {}, update() {}, stop() {} };

/** Sentences that outputs are compared on. */
const comparedSentences = 64;

/** Sentences that the metric is measured on: a weight's loss is a step of single words anyway. */
const judgedSentences = 512;

/** Seconds for the metric when nothing says how many. */
const defaultBudget = 120;

/**
 * Quantizes each weight alone and measures the noise at the outputs and, with labelled text, the loss; most sensitive
 * first.
 */
export async function measuredSensitivity(
  { kind }: FedModel,
  planned: Planned,
  { threads, samples, labelled, scheme, timeBudget = defaultBudget }: SensitivityRequest,
  { progress, signal }: Reporter,
): Promise<SensitivityRow[]> {
  const batches = await encodedBatches(kind, spread(samples, comparedSentences));
  const judged = labelled === undefined ? undefined : spread(labelled, judgedSentences);
  const groups = planned.plan.tensors.length;
  progress.start("measuring how sensitive each weight is", judged === undefined ? groups : 2 * groups);
  try {
    const rows = await sensitivity(planned.model, planned.plan, {
      ...planned.options,
      batches,
      sequences: comparedSentences,
      threads,
      timeBudget: timeBudget * 1000,
      ...(judged !== undefined && {
        evaluate: async (model: ModelProto) => {
          const opened = await kind.open(await kind.finished(model), { threads });
          try {
            const asking = { step: "", path: "validation", scheme };
            return (await opened.judge(judged, asking, { progress: silent, signal })).value;
          } finally {
            await opened.close();
          }
        },
      }),
      onGroup: (done) => progress.update(done),
    });
    return rows.map(row);
  } finally {
    progress.stop();
  }
}

function row({ name, tensors, nodes, op, elements, outputSqnrDb, loss }: LayerSensitivity): SensitivityRow {
  return {
    group: name,
    tensors,
    nodes,
    op,
    elements,
    outputNoise: 10 ** (-outputSqnrDb / 10),
    loss: loss ?? null,
  };
}

/** The noise in decibels below the signal; `exact` where there is none. */
export function noiseText({ outputNoise }: SensitivityRow): string {
  return outputNoise === 0 ? "exact" : (-10 * Math.log10(outputNoise)).toFixed(1);
}

/** The loss in points of the metric. */
export function lossText({ loss }: SensitivityRow): string {
  return loss === null ? "" : (Math.round(loss * 1e5) / 1e3 + 0).toFixed(3);
}
