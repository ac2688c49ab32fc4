import { type Tensor, tensor } from "@nasty/core";
import { openSession, type Session } from "@nasty/runtime";
import { flips, type LabelChoice, makeTransformerTagger, type TransformerSettings } from "@nasty/taggers";
import { findTagger, openTagger } from "@nasty/taggers/node";
import { collectAll } from "../texts/collect-all.js";

type Labels = readonly (readonly string[])[];

/** How much of a model's answers depends on what a sentence is run together with. */
export interface BatchMates {
  readonly sentences: number;
  readonly words: number;
  /** Words with another label in batches of 32 than in sentences alone. */
  readonly flips: number;
  /** Words with another label in sentences alone that are padded to the length of the longest; null for taggers that do not pad subwords. */
  readonly paddedFlips: number | null;
}

interface BatchMatesOptions {
  readonly threads: number;
  /** What the model's labels are said to be. */
  readonly choice?: LabelChoice & { readonly isSchemeOfText?: boolean };
  readonly alone?: Labels | undefined;
}

/** Sentences that are tagged several times over. */
export const comparedSentences = 100;

const batchSize = 32;

/**
 * Tags the same sentences alone, in batches and padded: ranges of dynamic activations span a batch, and ranges that were measured with padding
 * let it leak in.
 *
 * @param alone labels of the sentences tagged one by one, if they are known
 */
export async function batchMates(
  path: string,
  sentences: Labels,
  { threads, choice = {}, alone }: BatchMatesOptions,
): Promise<BatchMates> {
  const { separate, batched, longest } = await taggedInBatches(path, sentences, { threads, choice, alone });
  const padded = await taggedPadded(path, sentences, { threads, length: longest });
  return {
    sentences: sentences.length,
    words: sentences.reduce((sum, words) => sum + words.length, 0),
    flips: flips(separate, batched).length,
    paddedFlips: padded === undefined ? null : flips(separate, padded).length,
  };
}

async function taggedInBatches(
  path: string,
  sentences: Labels,
  { threads, choice = {}, alone }: BatchMatesOptions,
): Promise<{ readonly separate: Labels; readonly batched: Labels; readonly longest: number }> {
  const tagger = await openTagger(path, { threads, ...choice });
  try {
    const separate = alone ?? (await collectAll(tagger.tag(sentences, { batchSize: 1 })));
    const batched = await collectAll(tagger.tag(sentences, { batchSize }));
    let longest = 0;
    for await (const { mask } of tagger.feedsOf(sentences, { batchSize: 1 })) {
      longest = Math.max(longest, mask.shape[1] ?? 0);
    }
    return { separate, batched, longest };
  } finally {
    await tagger.close();
  }
}

async function taggedPadded(
  path: string,
  sentences: Labels,
  { threads, length }: { readonly threads: number; readonly length: number },
): Promise<Labels | undefined> {
  const { modelPath, settings } = await findTagger(path);
  if (settings.kind !== "transformer") return undefined;
  const session = await openSession(modelPath, { threads });
  const padded = await makeTransformerTagger(paddedSession(session, settings, length), settings);
  try {
    return await collectAll(padded.tag(sentences, { batchSize: 1 }));
  } finally {
    await padded.close();
  }
}

/** The session, fed with rows of `length` subwords whatever it gets; what it says of the padding is cut off again. */
function paddedSession(session: Session, { tokenizer }: TransformerSettings, length: number): Session {
  return {
    ...session,
    async run(feeds, outputs) {
      const given = Math.max(...Object.values(feeds).map(({ shape }) => shape[1] ?? 0));
      const wide = Object.entries(feeds).map(([name, value]) => [
        name,
        resized(value, Math.max(given, length), name === "input_ids" ? tokenizer.padId : 0),
      ]);
      const results = await session.run(Object.fromEntries(wide) as Record<string, Tensor>, outputs);
      return Object.fromEntries(
        Object.entries(results).map(([name, value]) => [name, resized(value, given, 0)]),
      );
    },
    close: () => session.close(),
  };
}

/** One row [1, from, …] with another number of positions. */
function resized(value: Tensor, length: number, padding: number): Tensor {
  const [rows = 1, from = 0, ...rest] = value.shape;
  if (rows !== 1 || from === length) return value;
  const width = rest.reduce((a, b) => a * b, 1);
  const shape = [1, length, ...rest];
  if (value.dtype === "int64") {
    const data = new BigInt64Array(length * width).fill(BigInt(padding));
    data.set((value.data as BigInt64Array).subarray(0, data.length));
    return tensor("int64", shape, data);
  }
  if (value.dtype === "int32") {
    const data = new Int32Array(length * width).fill(padding);
    data.set((value.data as Int32Array).subarray(0, data.length));
    return tensor("int32", shape, data);
  }
  return value.dtype === "float32"
    ? tensor("float32", shape, (value.data as Float32Array).slice(0, length * width))
    : value;
}
