import { stat } from "node:fs/promises";
import type { ModelProto } from "@nasty/formats/onnx";
import type { TaggerSettings } from "@nasty/taggers";
import { writeCandidate, type Written } from "../files/candidate.js";
import { checkDrift, type DriftCheck, leastCosine } from "./drift-check.js";
import { driftSample } from "./drift-sample.js";

export interface TrainedModel {
  readonly operation: string;
  /** Where the file is to be. */
  readonly output: string;
  readonly model: ModelProto;
  /** Of a tagger; undefined for another model, whose inputs are made. */
  readonly settings: TaggerSettings | undefined;
  /** Sentences to run it on; inputs are made where there are none. */
  readonly words: readonly (readonly string[])[];
  readonly threads: number;
  readonly minCosine?: number | undefined;
}

/**
 * Runs a written float file beside the model in memory that training ended with.
 *
 * @param modelPath the file, under the name that it has for now
 * @throws GateError as `checkDrift`
 */
export async function checkTrained(
  { operation, output, model, settings, words, threads, minCosine = leastCosine.exact }: TrainedModel,
  modelPath: string,
): Promise<DriftCheck> {
  const { size: modelBytes } = await stat(modelPath);
  return checkDrift(
    {
      operation,
      path: output,
      original: model,
      likeness: "the trained model",
      sample: await driftSample({ modelBytes, model, tagger: settings }, words),
      minCosine,
      threads,
      advice: () =>
        "train with a lower --learning-rate, or lower --min-cosine if the difference is acceptable",
    },
    modelPath,
  );
}

/**
 * Writes a trained model beside its place, runs it there, and gives it its name.
 *
 * @throws GateError as `checkDrift`; nothing is written then
 */
export async function writeTrained(
  output: string,
  trained: TrainedModel,
): Promise<Written & { readonly drift: DriftCheck }> {
  const candidate = await writeCandidate(output, trained.model);
  try {
    const drift = await checkTrained(trained, candidate.path);
    return { ...(await candidate.commit()), drift };
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}
