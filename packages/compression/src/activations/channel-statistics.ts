import type { ModelProto } from "@nasty/formats/onnx";
import type { Batches } from "@nasty/calibration";
import { type RunOptions, visitVectors } from "./visit-vectors.js";

/** Each channel of an activation over all real tokens. */
export interface ChannelStatistics {
  readonly count: number;
  readonly mean: Float64Array;
  readonly largest: Float64Array;
}

/** Means and largest magnitudes of activations, channel by channel along the last axis, in one pass. */
export async function channelStatistics(
  model: ModelProto,
  names: readonly string[],
  batches: Batches,
  options: RunOptions = {},
): Promise<Map<string, ChannelStatistics>> {
  const sums = new Map<string, { count: number; mean: Float64Array; largest: Float64Array }>();
  await visitVectors(
    model,
    names,
    batches,
    (name, { data: rows, count, width }) => {
      let entry = sums.get(name);
      if (entry === undefined) {
        entry = { count: 0, mean: new Float64Array(width), largest: new Float64Array(width) };
        sums.set(name, entry);
      }
      const { mean, largest } = entry;
      for (let row = 0, at = 0; row < count; row++) {
        for (let channel = 0; channel < width; channel++, at++) {
          const value = rows[at] as number;
          mean[channel] = (mean[channel] as number) + value;
          const magnitude = Math.abs(value);
          if (magnitude > (largest[channel] as number)) largest[channel] = magnitude;
        }
      }
      entry.count += count;
    },
    options,
  );
  for (const { count, mean } of sums.values()) {
    for (let channel = 0; channel < mean.length; channel++)
      mean[channel] = (mean[channel] as number) / Math.max(1, count);
  }
  return sums;
}
