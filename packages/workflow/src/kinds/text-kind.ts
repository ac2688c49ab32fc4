import type { ModelProto } from "@nasty/formats/onnx";
import { openSession, type Session } from "@nasty/runtime";
import { inputsOf } from "@nasty/taggers";
import {
  type TextSettings,
  makeTextBatches,
  makeTextModel,
  readTextSettings,
  textMetadata,
  type TextModel,
  type TextSample,
  withTextSettings,
} from "@nasty/taggers/texts";
import { nameOf } from "../texts/text-form.js";
import { classVerdict, type ClassVerdict } from "./class-verdict.js";
import { type ModelKind, type Subject, type Verdict } from "./kind.js";
import { type LabelledText, readTexts } from "./text-samples.js";
import { vectorVerdict, type VectorVerdict } from "./vector-verdict.js";

/**
 * Classifiers and encoders of texts.
 *
 * @param model whose inputs say what tensors are wanted
 */
export function textKind(settings: TextSettings, model: ModelProto): ModelKind<TextSample, LabelledText> {
  return {
    name: settings.kind,
    noun: "texts",
    read: readTexts,
    readLabelled: (path) => readTexts(path),
    unlabelled: (sample) => ({ ...sample, place: "text" }),
    sampleOf: (labelled) => labelled,
    held: {
      of: ({ text, pair }) => ({ text, pair }),
      sample: (held) => held as TextSample,
      sizeOf(held) {
        const { text, pair = "" } = held as TextSample;
        return text.length + pair.length;
      },
    },
    async *feedsOf(samples) {
      const texts = settings.kind === "feature-extraction" ? singles(samples) : samples;
      const batches = makeTextBatches(inputsOf(model), settings);
      for await (const { feeds, mask } of batches.of(texts, { batchSize: 1 })) yield { feeds, mask };
    },
    finished: (made) => withTextSettings(made, settings),
    metadata: () => textMetadata(settings),
    async open(made, { threads }) {
      return textSubject(await openSession(made, { threads }), settings);
    },
    inSession: (session) => textSubject(session, settings, false),
    async openFile({ modelPath }, { threads }) {
      return textSubject(await openSession(modelPath, { threads }), settings);
    },
    async openWritten(written) {
      const carried = (await readTextSettings(await written.model())) ?? settings;
      if (carried.kind === "graph") throw new TypeError("open: expected the kind that was written");
      return textSubject(await written.session(), carried, false);
    },
  };
}

/** An encoder reads the texts of a pair one by one. */
function* singles(samples: Iterable<TextSample>): Generator<TextSample> {
  for (const { text, pair } of samples) {
    yield { text };
    if (pair !== undefined) yield { text: pair };
  }
}

/** @param isOwn whether the session is closed with it */
export async function textSubject(
  session: Session,
  settings: TextSettings,
  isOwn = true,
): Promise<Subject<LabelledText, TextSample>> {
  let model: TextModel;
  try {
    model = await makeTextModel(session, settings);
  } catch (error) {
    if (isOwn) await session.close();
    throw error;
  }
  return {
    session,
    async judge(texts, { step, path, reference }, { progress, signal }): Promise<Verdict> {
      const isEncoder = settings.kind === "feature-extraction";
      const asked = isEncoder ? [...texts, ...texts.flatMap(secondOf)].map(({ text }) => ({ text })) : texts;
      progress.start(step, asked.length);
      const rows: Float32Array[] = [];
      try {
        for await (const row of model.rows(asked, { batchSize: 1, signal })) {
          progress.update(rows.push(row));
        }
      } finally {
        progress.stop();
      }
      if (settings.kind === "sequence-classification") {
        const about = { path: nameOf(path), reference: reference as ClassVerdict | undefined };
        return classVerdict(rows, texts, settings, about);
      }
      const seconds = rows.slice(texts.length);
      const pairs = texts.map(({ pair }) => (pair === undefined ? undefined : seconds.shift()));
      return vectorVerdict(rows.slice(0, texts.length), pairs, texts, reference as VectorVerdict | undefined);
    },
    async runAll(texts, batchSize) {
      const asked = settings.kind === "feature-extraction" ? texts.map(({ text }) => ({ text })) : texts;
      for await (const _ of model.rows(asked, { batchSize }));
    },
    close: async () => {
      if (isOwn) await model.close();
    },
  };
}

const secondOf = ({ pair, place }: LabelledText): LabelledText[] =>
  pair === undefined ? [] : [{ text: pair, place }];
