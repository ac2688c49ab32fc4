import type { CalibrationBatch } from "@nasty/calibration";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { simulateQuantization } from "@nasty/training";
import { requiredRecord } from "./trained-record.js";

export interface Agreement {
  /** Real positions that were compared. */
  readonly positions: number;
  /** Those with the same largest score. */
  readonly same: number;
  /** same / positions; 1 without any. */
  readonly share: number;
}

export interface AgreementOptions {
  /** Output whose last dimension holds the scores. Default `logits`. */
  readonly output?: string;
  readonly threads?: number;
}

/** Share of labels that a written model must have in common with the training's graph. */
export const requiredAgreement = 0.999;

/** The graph that training computed, in float32: open it without optimization. */
export function simulate(model: ModelProto): ModelProto {
  return simulateQuantization(model, requiredRecord("qat.simulate", model, undefined));
}

/**
 * Compares the labels of a quantized model with those of the graph that was trained.
 *
 * @param model the float model with its record
 * @param quantized what was made of it
 * @param batches feeds [batch, length] with the mask of their real positions
 * @throws CompressionError `no-trained-ranges`
 */
export async function agreement(
  model: ModelProto,
  quantized: ModelProto | string,
  batches: AsyncIterable<CalibrationBatch> | Iterable<CalibrationBatch>,
  { output = "logits", threads = 1 }: AgreementOptions = {},
): Promise<Agreement> {
  const trained = await openSession(simulate(model), { threads, optimization: "none" });
  const written = await openSession(quantized, { threads });
  let [positions, same] = [0, 0];
  try {
    for await (const { feeds, mask } of batches) {
      const [a, b] = [await trained.run(feeds, [output]), await written.run(feeds, [output])];
      const [left, right] = [a[output], b[output]];
      const width = left?.shape.at(-1) ?? 0;
      if (left === undefined || right === undefined || width === 0) continue;
      for (let at = 0; at < left.data.length / width; at++) {
        if (mask !== undefined && Number(mask.data[at]) === 0) continue;
        positions += 1;
        const first = largest(left.data as Float32Array, at * width, width);
        if (first === largest(right.data as Float32Array, at * width, width)) same += 1;
      }
    }
  } finally {
    await trained.close();
    await written.close();
  }
  return { positions, same, share: positions === 0 ? 1 : same / positions };
}

function largest(scores: Float32Array, from: number, width: number): number {
  let best = 0;
  for (let i = 1; i < width; i++)
    if ((scores[from + i] as number) > (scores[from + best] as number)) best = i;
  return best;
}
