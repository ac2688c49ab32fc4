import { type Evaluation, evaluate, type Metric } from "@nasty/taggers";
import { readLabelled } from "../inputs/corpus.js";
import { openModel } from "../inputs/model.js";
import type { Progress } from "../terminal/progress.js";

export interface GateRequest {
  /** Largest loss that passes, in units of the metric: 0.01 is one point. */
  readonly target: number;
  readonly validation: string;
  readonly threads: number;
  readonly seed: number;
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
  const before = await valueOf(original, request, progress);
  const after = await valueOf(quantized, request, progress);
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

async function valueOf(path: string, request: GateRequest, progress: Progress): Promise<Evaluation> {
  const { tagger } = await openModel(path, request);
  try {
    progress.start(`gate: tagging ${request.validation} with ${path}`);
    return await evaluate(tagger, readLabelled(request.validation, tagger.task), {
      path: request.validation,
      batchSize: 1,
    });
  } finally {
    progress.stop();
    await tagger.close();
  }
}
