import { type Tensor, tensor } from "@nasty/core";
import type { Session } from "@nasty/runtime";
import { flips, makeTransformerTagger, type Tagger, type TransformerSettings } from "@nasty/taggers";
import type { OpenModel } from "../models/open-tagger.js";
import { collectAll } from "../texts/collect-all.js";

type Labels = readonly (readonly string[])[];

/** How much of a model's answers depends on what a sentence is run together with. */
export interface BatchMates {
  readonly sentences: number;
  readonly words: number;
  /** Words with another label in batches of 32 than in sentences alone. */
  readonly flips: number;
  /**
   * Words with another label in sentences alone that are padded to the length of the longest; null for taggers that do
   * not pad subwords.
   */
  readonly paddedFlips: number | null;
}

/** Sentences that are tagged several times over. */
export const comparedSentences = 100;

const batchSize = 32;

/**
 * Tags the same sentences alone, in batches and padded: ranges of dynamic activations span a batch, and ranges that
 * were measured with padding let it leak in.
 *
 * @param model in its session; both stay open
 * @param alone labels of the sentences tagged one by one, if they are known
 */
export async function batchMates(
  { tagger, session, settings }: Pick<OpenModel, "tagger" | "session" | "settings">,
  sentences: Labels,
  alone?: Labels,
): Promise<BatchMates> {
  const separate = alone ?? (await collectAll(tagger.tag(sentences, { batchSize: 1 })));
  const batched = await collectAll(tagger.tag(sentences, { batchSize }));
  const padded =
    session === undefined || settings.kind !== "transformer"
      ? undefined
      : await taggedPadded(session, settings, { sentences, length: await longestOf(tagger, sentences) });
  return {
    sentences: sentences.length,
    words: sentences.reduce((sum, words) => sum + words.length, 0),
    flips: flips(separate, batched).length,
    paddedFlips: padded === undefined ? null : flips(separate, padded).length,
  };
}

/** Positions of the longest row. */
async function longestOf(tagger: Tagger, sentences: Labels): Promise<number> {
  let longest = 0;
  for await (const { mask } of tagger.feedsOf(sentences, { batchSize: 1 })) {
    longest = Math.max(longest, mask.shape[1] ?? 0);
  }
  return longest;
}

async function taggedPadded(
  session: Session,
  settings: TransformerSettings,
  { sentences, length }: { readonly sentences: Labels; readonly length: number },
): Promise<Labels> {
  const padded = await makeTransformerTagger(paddedSession(session, settings, length), settings);
  return collectAll(padded.tag(sentences, { batchSize: 1 }));
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
