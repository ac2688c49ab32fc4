import { stat } from "node:fs/promises";
import type { ModelProto } from "@nasty/formats/onnx";
import { writeCandidate, type Written } from "../files/candidate.js";
import { checkDrift, type DriftCheck, leastCosine } from "./drift-check.js";
import type { DriftSample } from "./drift-sample.js";

export interface TrainedModel {
  readonly operation: string;
  /** Where the file is to be. */
  readonly output: string;
  readonly model: ModelProto;
  /** What to run it on, by the bytes of its file. */
  readonly sample: (modelBytes: number) => Promise<DriftSample>;
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
  { operation, output, model, sample, threads, minCosine = leastCosine.exact }: TrainedModel,
  modelPath: string,
): Promise<DriftCheck> {
  const { size: modelBytes } = await stat(modelPath);
  return checkDrift(
    {
      operation,
      path: output,
      original: model,
      likeness: "the trained model",
      sample: await sample(modelBytes),
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
