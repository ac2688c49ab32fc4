import { madeFeeds } from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession, RuntimeError } from "@nasty/runtime";
import { InputError } from "../errors.js";
import type { FeedSample } from "../feeds/feed-sample.js";

/** Sizes of varying dimensions to try: some graphs take no short inputs, others no long ones. */
const lengths = [8, 64, 512, 4096];
const count = 16;

/**
 * Inputs for a graph of which nothing but itself is known: of the declared types, of a length that it accepts.
 *
 * @throws InputError for a graph that accepts none
 */
export async function madeSamples(model: ModelProto): Promise<FeedSample[]> {
  const session = await openSession(model);
  try {
    for (const length of lengths) {
      const make = (seed: number) => madeFeeds(model, { seed, length, batchSize: 1 });
      const first = make(1);
      if (first === undefined) break;
      try {
        await session.run(first);
      } catch (error) {
        if (error instanceof RuntimeError) continue;
        throw error;
      }
      return Array.from({ length: count }, (_, i) => ({
        feeds: make(i + 1) ?? first,
        place: `made input ${i + 1}`,
      }));
    }
  } finally {
    await session.close();
  }
  throw new InputError(
    "quantize: model: inputs: expected some that can be made from their types, got none that the graph accepts; give inputs of the graph (.jsonl, .npz) with --validation",
  );
}
