import type { ModelProto } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import { inputsOf, TaggerError } from "@nasty/taggers";
import {
  makeTextModel,
  type TextInputSettings,
  type TextSample,
  type TextSettings,
} from "@nasty/taggers/texts";
import { type Feeder, makeFeeder, makeTextEncoder, type TextRow } from "@nasty/taggers/transformer";

/** Turns texts into rows, and rows into the inputs of a model. */
export interface TextFeeder {
  readonly feed: Feeder["feed"];
  /** One row, cut to what the model reads. */
  encode(text: string, pair: string | undefined): TextRow;
}

/** Subwords of a row where neither model nor tokenizer has a limit: attention takes the square of it. */
const mostSubwords = 4096;

/** @throws TaggerError `tokenizer`, `tokenizer-mismatch`, `model-inputs`, `window`. */
export function makeTextFeeder(model: ModelProto, settings: TextInputSettings): TextFeeder {
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

/** Texts that are run at once: enough to be fast, few enough that little is padding. */
const textsAtOnce = 16;

/** What a model that is in training says of texts, in their order. */
export async function* answers(
  model: ModelProto,
  settings: TextSettings,
  texts: Iterable<TextSample>,
  threads = 1,
): AsyncGenerator<Float32Array> {
  const open = await makeTextModel(await openSession(model, { threads }), settings);
  try {
    yield* open.rows(texts, { batchSize: textsAtOnce });
  } finally {
    await open.close();
  }
}
