import { type CalibrationBatch, tapOutputs } from "@nasty/calibration";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import type { RunOptions } from "../activations/visit-vectors.js";

/** Outputs of a model over batches, real positions only, one array an output and batch. */
export async function outputsOf(
  model: ModelProto,
  batches: readonly CalibrationBatch[],
  { threads = 1, signal }: RunOptions = {},
): Promise<Float32Array[]> {
  const session = await openSession(model, { threads });
  try {
    const outputs: Float32Array[] = [];
    await tapOutputs(
      session,
      batches,
      (value) => void outputs.push(value.real().slice()),
      signal && { signal },
    );
    return outputs;
  } finally {
    await session.close();
  }
}

/** Σ(x − x̂)² / Σx² over all outputs; 0 if nothing changed. */
export function outputNoise(reference: readonly Float32Array[], changed: readonly Float32Array[]): number {
  let signal = 0;
  let noise = 0;
  for (const [index, values] of reference.entries()) {
    const others = changed[index];
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      const difference = value - (others?.[i] ?? 0);
      signal += value * value;
      noise += difference * difference;
    }
  }
  return signal === 0 ? noise : noise / signal;
}
