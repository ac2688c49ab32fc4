import { sampleTextPath } from "../models/default-model.js";
import { InputError } from "../errors.js";
import type { ModelProto } from "@nasty/formats/onnx";
import type { Labelled, ModelKind, Reading, Sample } from "../kinds/kind.js";
import { collectAll } from "../texts/collect-all.js";
import type { Counted } from "../texts/spread.js";
import { nameOf } from "../texts/text-form.js";
import type { FedModel } from "./calibration-batches.js";
import type { ReadCalibration } from "./calibration-text.js";
import { madeSamples } from "./made-samples.js";
import type { QuantizeSettings } from "./settings.js";

/** Samples to try models on. */
export type Samples = Counted<Sample>;

/** What a gate judges by. */
export interface GateSamples {
  readonly samples: readonly Labelled[];
  /** Where they are from, for messages. */
  readonly path: string;
}

/** Texts of the embedded sample that an encoder is judged by where none were given. */
const sampleTexts = 200;

/** The labelled text of the gate; undefined without one, or without a tagger to judge. */
export async function validationText(
  { kind, tagger }: FedModel,
  { validation }: QuantizeSettings,
): Promise<readonly Labelled[] | undefined> {
  if (validation === undefined || (kind.name === "token-classification" && tagger === undefined))
    return undefined;
  return nonEmpty(await collectAll(kind.readLabelled(validation)), kind, validation);
}

function nonEmpty(samples: readonly Labelled[], { noun }: ModelKind, path: string): readonly Labelled[] {
  if (samples.length > 0) return samples;
  throw new InputError(`read ${nameOf(path)}: ${noun}: expected at least 1, got 0; the file is empty`);
}

/** Samples without labels to try models on: what calibration used, else those of the labelled text. */
export async function trialText(
  { kind }: FedModel,
  { calibration }: QuantizeSettings,
  read: ReadCalibration,
  labelled: readonly Labelled[] | undefined,
): Promise<Samples> {
  if (calibration.length > 0) return (await read()).samples;
  return (labelled ?? []).map((one) => kind.sampleOf(one));
}

/**
 * What a gate without labels judges by: the samples of `--validation`, else those of the calibration, else those of the
 * embedded sample text, or inputs that are made for a graph.
 */
export async function driftSamples(
  loaded: FedModel,
  settings: QuantizeSettings,
  read: ReadCalibration,
): Promise<GateSamples> {
  const { kind } = loaded;
  const { validation, calibration } = settings;
  const unlabelled = (samples: Iterable<Sample>): Labelled[] =>
    Array.from(samples, (sample) => kind.unlabelled(sample));
  if (validation !== undefined) {
    const found = await collectAll(kind.read(validation));
    return { samples: nonEmpty(unlabelled(found), kind, validation), path: validation };
  }
  if (calibration.length > 0)
    return { samples: unlabelled((await read()).samples), path: calibration.join(", ") };
  return { samples: unlabelled(await ownSamples(kind, loaded.model)), path: "sample" };
}

/** Samples of nobody's data: the embedded English text, or inputs that are made for a graph. */
export async function ownSamples(reading: Reading, model: ModelProto): Promise<Sample[]> {
  if (reading.noun === "samples") return madeSamples(model);
  const found: Sample[] = [];
  for await (const sample of reading.read(sampleTextPath())) {
    if (found.push(sample) === sampleTexts) break;
  }
  return found;
}
