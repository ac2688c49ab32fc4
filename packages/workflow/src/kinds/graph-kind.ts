import { type Tensor, toFloat32 } from "@nasty/core";
import type { LabelledSentence } from "@nasty/taggers";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession, type Session, type ValueInfo } from "@nasty/runtime";
import { inputsOf } from "@nasty/taggers";
import {
  largestAt,
  makeTextBatches,
  textMetadata,
  type AnyTextSettings,
  withTextSettings,
} from "@nasty/taggers/texts";
import { InputError } from "../errors.js";
import { type FeedSample, feedBatches, sizeOfSample } from "../feeds/feed-sample.js";
import { isFeedFile, isNpz, readFeeds } from "../feeds/read-feeds.js";
import type { PlainTextOptions } from "../texts/plain-text.js";
import { nameOf } from "../texts/text-form.js";
import { shownText } from "./class-verdict.js";
import { readTexts } from "./text-samples.js";
import { always, meanOf, pairedLoss } from "./bootstrap.js";
import type { Against, Asking, ModelKind, OutputAgreement, Subject, Verdict } from "./kind.js";
import { outputMeter } from "./output-agreement.js";

/**
 * Any graph, fed with named inputs.
 *
 * @param text what encodes texts for it, where it has a tokenizer
 */
export function graphKind(model: ModelProto, text?: AnyTextSettings): ModelKind<FeedSample, FeedSample> {
  const inputs = inputsOf(model);
  const read = (path: string, options?: PlainTextOptions): AsyncGenerator<FeedSample> => {
    if (text !== undefined && !isNpz(path)) return encodedTexts(path, { text, inputs, options });
    if (path === "-" || isFeedFile(path)) return readFeeds(path, inputs);
    throw new InputError(
      `read ${nameOf(path)}: expected inputs of the graph (.jsonl or .npz), as the model has no tokenizer and labels, got ${nameOf(path)}; give such a file, or the model's Hugging Face directory`,
    );
  };
  return {
    name: "graph",
    noun: text === undefined ? "samples" : "texts",
    read,
    readLabelled: (path) => read(path),
    unlabelled: ({ feeds, mask, place }) => ({ feeds, mask, place }),
    sampleOf: (sample) => sample,
    held: {
      of: (sample) => sample,
      sample: (held) => held as FeedSample,
      sizeOf: (held) => sizeOfSample(held as FeedSample),
    },
    async *feedsOf(samples) {
      for (const { feeds, mask } of samples) yield { feeds, ...(mask !== undefined && { mask }) };
    },
    finished: async (made) => (text === undefined ? made : withTextSettings(made, text)),
    metadata: async () => (text === undefined ? {} : textMetadata(text)),
    open: async (made, { threads }) => graphSubject(await openSession(made, { threads })),
    inSession: async (session) => graphSubject(session, false),
    openFile: async ({ modelPath }, { threads }) => graphSubject(await openSession(modelPath, { threads })),
    openWritten: async (written) => graphSubject(await written.session(), false),
  };
}

/** Texts as inputs, each by itself. */
async function* encodedTexts(
  path: string,
  {
    text,
    inputs,
    options,
  }: {
    readonly text: AnyTextSettings;
    readonly inputs: readonly ValueInfo[];
    readonly options: PlainTextOptions | undefined;
  },
): AsyncGenerator<FeedSample> {
  const batches = makeTextBatches(inputs, text);
  for await (const sample of readTexts(path, options)) {
    for await (const { feeds, mask } of batches.of([sample], { batchSize: 1 })) {
      yield { feeds, mask, place: shownText(sample.text, sample.pair) };
    }
  }
}

/** Values of a reference that are kept: 256 MB. */
const mostValues = 2 ** 26;

/** What a graph said. */
interface GraphVerdict extends Verdict {
  /** Float outputs of each sample; of as many samples as memory is given to. */
  readonly outputs: readonly (readonly Float32Array[])[];
  /** Whether each labelled sample was right. */
  readonly right: readonly number[] | undefined;
}

/** @param isOwn whether the session is closed with it */
export function graphSubject(session: Session, isOwn = true): Subject<FeedSample, FeedSample> {
  const floats = session.outputs.filter(({ dtype }) => dtype.startsWith("float") || dtype === "bfloat16");
  const names = floats.map(({ name }) => name);
  const run = async (
    feeds: Readonly<Record<string, Tensor>>,
  ): Promise<(readonly [Float32Array, number])[]> => {
    const found = await session.run(feeds, names);
    return names.map((name) => {
      const value = found[name] as Tensor;
      const data = value.dtype === "float32" ? (value.data as Float32Array) : toFloat32(value);
      return [data, value.shape.at(-1) ?? 1] as const;
    });
  };
  return {
    session,
    judge: (samples, asking, reporter) => judged(run, floats, samples, asking, reporter),
    async runAll(samples, batchSize) {
      for (const feeds of feedBatches(samples, session.inputs, batchSize)) await session.run(feeds);
    },
    close: async () => {
      if (isOwn) await session.close();
    },
  };
}

async function judged(
  run: (feeds: FeedSample["feeds"]) => Promise<readonly (readonly [Float32Array, number])[]>,
  outputs: readonly ValueInfo[],
  samples: readonly FeedSample[],
  { step, path, reference }: Asking,
  { progress, signal }: Parameters<Subject["judge"]>[2],
): Promise<GraphVerdict> {
  if (outputs.length === 0) {
    throw new InputError("judge: outputs: expected at least one of floating-point numbers, got none");
  }
  const before = reference as GraphVerdict | undefined;
  const kept: Float32Array[][] = [];
  const comparison = before && compareOutputs(outputs, before);
  const isLabelled = samples.some(({ label }) => label !== undefined);
  const right: number[] = [];
  let values = 0;
  progress.start(step, samples.length);
  try {
    for (const [i, { feeds, place, label }] of samples.entries()) {
      signal?.throwIfAborted();
      const found = await run(feeds);
      const answer = found.find(([, width]) => width > 1);
      if (isLabelled) right.push(isRight(answer, label, `read ${nameOf(path)}: ${place}`));
      if (comparison !== undefined) comparison.add(i, found);
      else if (values < mostValues) {
        kept.push(found.map(([data]) => data.slice()));
        values += found.reduce((sum, [data]) => sum + data.length, 0);
      }
      progress.update(i + 1);
    }
  } finally {
    progress.stop();
  }
  return {
    samples: samples.length,
    metric: isLabelled ? "accuracy" : null,
    value: isLabelled ? meanOf(right)() : Number.NaN,
    outputs: kept,
    right: isLabelled ? right : undefined,
    against: comparison && before && againstOf(comparison, { before, right, samples }),
  };
}

/** Whether the largest number of the first output that has several is that of the right class. */
function isRight(
  answer: readonly [Float32Array, number] | undefined,
  label: number | undefined,
  where: string,
): number {
  if (answer === undefined) {
    throw new InputError(`${where}: label: expected an output with a number for each class, got none`);
  }
  const [data, width] = answer;
  if (label === undefined || label >= width) {
    throw new InputError(
      `${where}: label: expected a class from 0 to ${width - 1} for every sample, got ${label ?? "none"}`,
    );
  }
  return Number(largestAt(data.subarray(0, width)) === label);
}

interface Compared {
  add(sample: number, found: readonly (readonly [Float32Array, number])[]): void;
  agreements(): OutputAgreement[];
  /** Lowest cosine of each sample over all outputs. */
  cosines(): readonly number[];
  /** Samples whose best answer changed, with both. */
  readonly changed: { readonly sample: number; readonly from: number; readonly to: number }[];
}

function compareOutputs(outputs: readonly ValueInfo[], before: GraphVerdict): Compared {
  let meters: ReturnType<typeof outputMeter>[] | undefined;
  const changed: Compared["changed"] = [];
  return {
    changed,
    cosines() {
      const [first = [], ...others] = (meters ?? []).map((meter) => meter.cosines());
      return first.map((cosine, i) => Math.min(cosine, ...others.map((other) => other[i] as number)));
    },
    add(sample, found) {
      const were = before.outputs[sample];
      if (were === undefined) return;
      meters ??= found.map(([, width], i) => outputMeter(outputs[i]?.name ?? "", width));
      let isSame = true;
      meters.forEach((meter, i) => {
        const [data, width] = found[i] as readonly [Float32Array, number];
        const from = were[i] as Float32Array;
        if (meter.add(from, data) || !isSame) return;
        isSame = false;
        changed.push({ sample, ...firstChange(from, data, width) });
      });
    },
    agreements: () => (meters ?? []).map((meter) => meter.figures()),
  };
}

function firstChange(
  from: Float32Array,
  to: Float32Array,
  width: number,
): { readonly from: number; readonly to: number } {
  for (let at = 0; at < from.length; at += width) {
    const [a, b] = [largestAt(from.subarray(at, at + width)), largestAt(to.subarray(at, at + width))];
    if (a !== b) return { from: a, to: b };
  }
  return { from: 0, to: 0 };
}

function againstOf(
  compared: Compared,
  {
    before,
    right,
    samples,
  }: {
    readonly before: GraphVerdict;
    readonly right: readonly number[];
    readonly samples: readonly FeedSample[];
  },
): Against {
  const outputs = compared.agreements();
  // Of one number a sample the cosine says nothing; of all samples' numbers together it does.
  const agreement = Math.min(...outputs.map(({ cosine, cosineMean }) => Math.min(cosine, cosineMean ?? 1)));
  const cosines = compared.cosines();
  const mean = meanOf(cosines);
  const isMeasuredBySample = outputs.every(({ cosineMean }) => cosineMean !== null);
  const { length } = cosines;
  return {
    flips: compared.changed.map(({ sample, from, to }) => ({
      sentence: sample,
      word: 0,
      original: String(from),
      changed: String(to),
    })),
    shown: samples.map(
      ({ place, label }): LabelledSentence => ({
        words: [place],
        labels: [label === undefined ? "" : String(label)],
      }),
    ),
    agreement,
    agreementOf: "cosine",
    figures: { outputs },
    loss: (seed) => pairedLoss(meanOf(before.right ?? []), meanOf(right), { samples: right.length, seed }),
    drift(seed) {
      const { low, high } = pairedLoss(always(1), isMeasuredBySample ? mean : always(agreement), {
        samples: length,
        seed,
      });
      return { loss: 1 - agreement, low, high };
    },
  };
}
