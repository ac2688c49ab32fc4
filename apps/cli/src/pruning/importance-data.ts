import type { Tensor } from "@nasty/core";
import type { PruneOptions } from "@nasty/compression";
import { openSession } from "@nasty/runtime";
import { openTagger } from "@nasty/taggers/node";
import { InputError } from "../exit-codes.js";
import type { LoadedModel } from "../inputs/load-model.js";

/** Positions that the loss does not count. */
const ignored = -100n;
const batchSize = 16;
const labelsInput = "nasty.labels";

/**
 * What importance is measured on: typical sentences, labelled by the model itself, so that any text will do.
 *
 * @throws InputError for a model whose inputs no tagger can make
 */
export function importanceData(
  loaded: LoadedModel,
  sentences: readonly (readonly string[])[],
  threads: number,
): NonNullable<PruneOptions["data"]> {
  const logits = loaded.model.graph?.output[0]?.name;
  if (loaded.tagger?.kind !== "transformer" || logits === undefined) {
    throw new InputError(
      `prune: --data: ${loaded.path}: expected a transformer with its tokenizer (to turn text into inputs), got none; leave --data out to prune by magnitude`,
    );
  }
  return {
    loss: { kind: "cross-entropy", logits, labels: labelsInput },
    batches: labelledBatches(loaded, { sentences, logits, threads }),
    threads,
  };
}

async function* labelledBatches(
  { path, modelPath }: LoadedModel,
  fields: {
    readonly sentences: readonly (readonly string[])[];
    readonly logits: string;
    readonly threads: number;
  },
): AsyncGenerator<Record<string, Tensor>> {
  const { sentences, logits, threads } = fields;
  const tagger = await openTagger(path, { threads });
  const session = await openSession(modelPath, { threads });
  try {
    for await (const { feeds, mask } of tagger.feedsOf(sentences, { batchSize })) {
      const result = (await session.run(feeds, [logits]))[logits];
      if (result?.dtype !== "float32" || result.shape.length !== 3) {
        throw new InputError(
          `prune: --data: ${path}: output ${logits}: expected float32 [batch, length, labels], got ${result?.dtype ?? "none"} of rank ${result?.shape.length ?? 0}`,
        );
      }
      yield { ...feeds, [labelsInput]: bestLabels(result as Tensor<"float32">, mask.data) };
    }
  } finally {
    await session.close();
    await tagger.close();
  }
}

/** The label with the highest score of every real position. */
function bestLabels({ shape, data }: Tensor<"float32">, mask: Uint8Array): Tensor<"int64"> {
  const [rows = 0, length = 0, labels = 0] = shape;
  const best = new BigInt64Array(rows * length).fill(ignored);
  for (let position = 0; position < best.length; position++) {
    if (mask[position] === 0) continue;
    const scores = data.subarray(position * labels, (position + 1) * labels);
    best[position] = BigInt(scores.indexOf(Math.max(...scores)));
  }
  return { dtype: "int64", shape: [rows, length], data: best };
}
