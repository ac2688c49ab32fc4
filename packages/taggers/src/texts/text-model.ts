import { type Tensor, toFloat32 } from "@nasty/core";
import type { Session } from "@nasty/runtime";
import { TaggerError } from "../tagger-error.js";
import { trialRun } from "../tagging/trial.js";
import { mismatch } from "../transformer/transformer-tagger.js";
import { pooled, poolingWidth } from "./pooling.js";
import { makeTextBatches, type TextBatch, type TextBatchOptions, type Texts } from "./text-batches.js";
import type { TextSettings } from "./text-settings.js";

/** A model of whole texts, open in a session. */
export interface TextModel {
  readonly settings: TextSettings;
  /** One row of numbers a text, in the order of the texts: scores of the labels, or the vector of the text. */
  rows(texts: Texts, options?: TextBatchOptions): AsyncGenerator<Float32Array>;
  /** The inputs of the same runs, for others to run. */
  feedsOf(texts: Texts, options?: TextBatchOptions): AsyncGenerator<TextBatch>;
  close(): Promise<void>;
}

/**
 * Opens a classifier or an encoder of texts around a session.
 *
 * A trial run of one position finds the output: of a classifier `logits`, or the first [rows, labels]; of an encoder
 * `sentence_embedding`, else the first [rows, positions, width] (which is pooled), else the first [rows, width].
 *
 * @param session of the model; {@link TextModel.close} closes it
 * @throws TaggerError `tokenizer`, `tokenizer-mismatch`, `model-inputs`, `model-outputs`
 */
export async function makeTextModel(session: Session, settings: TextSettings): Promise<TextModel> {
  const batches = makeTextBatches(session.inputs, settings);
  const { trial } = batches;
  const outputs = await trialRun(session, { ...trial, mismatch });
  const output = outputOf(session, outputs, settings, trial.mask.shape);

  return {
    settings,
    feedsOf: batches.of,
    async *rows(texts, options) {
      // Batches are of like length: a text waits for those before it.
      const waiting = new Map<number, Float32Array>();
      let next = 0;
      for await (const batch of batches.of(texts, options)) {
        const value = (await session.run(batch.feeds, [output]))[output] as Tensor;
        rowsOf(value, batch, settings).forEach((found, r) => {
          waiting.set(batch.indices[r] as number, found);
        });
        for (let found = waiting.get(next); found !== undefined; found = waiting.get(++next)) {
          waiting.delete(next);
          yield found;
        }
      }
    },
    close: () => session.close(),
  };
}

const isFloat = ({ dtype }: Tensor): boolean => dtype === "float32" || dtype === "float16";

/** @throws TaggerError `model-outputs` */
function outputOf(
  session: Session,
  outputs: Readonly<Record<string, Tensor>>,
  settings: TextSettings,
  [rows = 1, length = 1]: readonly number[],
): string {
  const floats = session.outputs.flatMap(({ name }) => {
    const value = outputs[name];
    return value !== undefined && isFloat(value) ? [{ name, shape: value.shape }] : [];
  });
  const ofTexts = floats.filter(({ shape }) => shape.length === 2 && shape[0] === rows);
  if (settings.kind === "sequence-classification") {
    const found = ofTexts.filter(({ shape }) => shape[1] === settings.labels.length);
    const chosen = found.find(({ name }) => name === "logits") ?? found[0];
    if (chosen !== undefined) return chosen.name;
    throw refuse(outputs, `[${rows}, ${settings.labels.length}] (texts, labels)`);
  }
  const ofPositions = floats.filter(
    ({ shape }) => shape.length === 3 && shape[0] === rows && shape[1] === length,
  );
  const chosen =
    ofTexts.find(({ name }) => name === "sentence_embedding") ??
    ofPositions.find(({ name }) => name === "last_hidden_state") ??
    ofPositions[0] ??
    ofTexts[0];
  if (chosen !== undefined) return chosen.name;
  throw refuse(outputs, `[${rows}, ${length}, width] or [${rows}, width]`);
}

function refuse(outputs: Readonly<Record<string, Tensor>>, expected: string): TaggerError {
  const got = Object.entries(outputs).map(
    ([name, { dtype, shape }]) => `${name} ${dtype} [${shape.join(", ")}]`,
  );
  return new TaggerError(
    "model-outputs",
    `openModel: model: outputs: expected float32 or float16 ${expected}, got ${got.join(", ")}`,
  );
}

/** The rows of a run, one a text; rows that only fill a fixed batch are left out. */
function rowsOf(value: Tensor, { indices, mask }: TextBatch, settings: TextSettings): Float32Array[] {
  const data = value.dtype === "float32" ? (value.data as Float32Array) : toFloat32(value);
  const width = value.shape.at(-1) ?? 1;
  if (settings.kind === "sequence-classification") {
    return indices.map((_, r) => data.slice(r * width, (r + 1) * width));
  }
  const { pooling, normalize } = settings;
  const length = value.shape.length === 3 ? (value.shape[1] ?? 1) : 0;
  return indices.map((_, r) => {
    let vector: Float32Array;
    if (length === 0) vector = data.slice(r * width, (r + 1) * width);
    else {
      vector = new Float32Array(poolingWidth(pooling, width));
      const real = mask.data.subarray(r * length, (r + 1) * length);
      pooled(data.subarray(r * length * width, (r + 1) * length * width), real, pooling, vector);
    }
    return normalize ? normalized(vector) : vector;
  });
}

/** Divides a vector by its length, in place; one of zeros stays. */
function normalized(vector: Float32Array): Float32Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  if (sum === 0) return vector;
  const factor = 1 / Math.sqrt(sum);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] as number) * factor;
  return vector;
}
