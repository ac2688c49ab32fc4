import type { ModelProto } from "@nasty/formats/onnx";
import { openSession, type Session } from "@nasty/runtime";
import { TaggerError, type TransformerSettings } from "@nasty/taggers";
import { type Feeder, makeFeeder, makeTextEncoder, type TextRow } from "@nasty/taggers/transformer";
import { inputsOf } from "../fine-tuning/training-rows.js";

/** Turns texts into rows, and rows into the inputs of a model. */
export interface TextFeeder {
  readonly feed: Feeder["feed"];
  /** One row, cut to what the model reads. */
  encode(text: string, pair: string | undefined): TextRow;
}

/** What of a tagger's settings texts need. */
export type TextSettings = Pick<
  TransformerSettings,
  "tokenizer" | "maxPositions" | "positionOffset" | "vocabularySize"
>;

/** Subwords of a row where neither model nor tokenizer has a limit: attention takes the square of it. */
const mostSubwords = 4096;

/** @throws TaggerError `tokenizer`, `tokenizer-mismatch`, `model-inputs`, `window`. */
export function makeTextFeeder(model: ModelProto, settings: TextSettings): TextFeeder {
  const encoder = makeTextEncoder(settings.tokenizer);
  const { special, padId, largestId } = encoder;
  const { vocabularySize, positionOffset, maxPositions } = settings;
  if (vocabularySize !== undefined && largestId >= vocabularySize) {
    throw new TaggerError(
      "tokenizer-mismatch",
      `fineTune: tokenizer: ids: expected an embedding of at least ${largestId + 1} rows, got ${vocabularySize} rows; is this the model's own tokenizer.json?`,
    );
  }
  const feeder = makeFeeder({ inputs: inputsOf(model) }, { special, padId, positionOffset });
  const most = Math.min(maxPositions ?? mostSubwords, feeder.fixedLength ?? mostSubwords);
  return {
    feed: (rows) => feeder.feed(rows),
    encode: (text, pair) => encoder.encode(text, pair, most),
  };
}

/** Rows that are run at once: enough to be fast, few enough that little is padding. */
const rowsAtOnce = 16;

/**
 * Runs a model on rows, like lengths together, and hands out each row's part of an output [batch, width].
 *
 * @param take the row's number and its values, which are only lent
 */
export async function runRows(
  model: ModelProto,
  { feeder, rows, threads = 1 }: RowsToRun,
  take: (row: number, values: Float32Array) => void,
): Promise<void> {
  const session = await openSession(model, { threads });
  try {
    const order = rows.map((_, i) => i).sort((a, b) => lengthOf(rows, a) - lengthOf(rows, b) || a - b);
    for (let at = 0; at < order.length; at += rowsAtOnce)
      await runSome(session, { feeder, rows }, order.slice(at, at + rowsAtOnce), take);
  } finally {
    await session.close();
  }
}

export interface RowsToRun {
  readonly feeder: TextFeeder;
  readonly rows: readonly TextRow[];
  readonly threads?: number | undefined;
}

const lengthOf = (rows: readonly TextRow[], at: number): number => rows[at]?.ids.length ?? 0;

async function runSome(
  session: Session,
  { feeder, rows }: RowsToRun,
  numbers: readonly number[],
  take: (row: number, values: Float32Array) => void,
): Promise<void> {
  const { feeds } = feeder.feed(numbers.map((number) => rows[number] as TextRow));
  const [name = ""] = session.outputs.map((output) => output.name);
  const values = (await session.run(feeds, [name]))[name]?.data as Float32Array;
  const width = values.length / numbers.length;
  numbers.forEach((number, i) => take(number, values.subarray(i * width, (i + 1) * width)));
}
