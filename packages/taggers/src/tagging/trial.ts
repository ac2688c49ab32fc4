import type { Tensor } from "@nasty/core";
import type { Session } from "@nasty/runtime";
import { TaggerError } from "../tagger-error.js";
import type { RunInputs } from "./skeleton.js";

export interface Trial extends RunInputs {
  /** The largest id that the tagger may feed, which is among those of the inputs. */
  readonly largestId: number;
  /** How many labels there are. */
  readonly labels: number;
  /** The error of ids that go beyond the model's table: how many rows it should have, and what was found instead. */
  readonly mismatch: (expected: number, got: string, cause: unknown) => TaggerError;
}

/**
 * Runs a model once, which finds the output with the scores, and ids that do not belong to the model.
 *
 * @returns the name of the output
 * @throws TaggerError `model-outputs`; what `mismatch` makes
 */
export async function trialOutput(session: Session, trial: Trial): Promise<string> {
  return scoresOutput(session, await trialRun(session, trial), trial.mask.shape, trial.labels);
}

/**
 * All outputs of a first run.
 *
 * @throws what `mismatch` makes for ids beyond the model's table
 */
export async function trialRun(
  session: Session,
  { feeds, largestId, mismatch }: Omit<Trial, "labels" | "mask">,
): Promise<Readonly<Record<string, Tensor>>> {
  try {
    return await session.run(feeds);
  } catch (cause) {
    // ONNX Runtime's Gather: "indices element out of data bounds, idx=7999 must be within the inclusive range
    // [-100,99]"
    const bounds = /idx=(\d+) must be within the inclusive range \[-?\d+,(\d+)\]/.exec(messages(cause));
    if (bounds === null || Number(bounds[1]) !== largestId) throw cause;
    throw mismatch(largestId + 1, `${Number(bounds[2]) + 1} rows`, cause);
  }
}

/** The messages of an error and of those underneath it. */
function messages(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messages(error.cause)}` : "";
}

/**
 * Finds the output that holds a score for each label: the one called `logits`, else the first float output whose shape
 * in a trial run is [rows, length, labels].
 *
 * @param outputs what the trial run gave.
 * @param shape [rows, length] of the trial's feeds.
 * @throws TaggerError `model-outputs` if there is none, or `logits` has another number of labels than there are names.
 */
function scoresOutput(
  session: Session,
  outputs: Readonly<Record<string, Tensor>>,
  shape: readonly number[],
  labels: number,
): string {
  const wanted = [...shape, labels];
  const candidates = session.outputs.filter(({ name }) => {
    const found = outputs[name];
    return (
      found !== undefined &&
      (found.dtype === "float32" || found.dtype === "float16") &&
      found.shape.length === 3 &&
      found.shape.every((size, i) => size === wanted[i])
    );
  });
  const chosen = candidates.find(({ name }) => name === "logits") ?? candidates[0];
  if (chosen !== undefined) return chosen.name;
  const got = Object.entries(outputs).map(
    ([name, { dtype, shape: s }]) => `${name} ${dtype} [${s.join(", ")}]`,
  );
  throw new TaggerError(
    "model-outputs",
    `openTagger: model: outputs: expected float32 or float16 [${wanted.join(", ")}] (rows, length, ${labels} labels), got ${got.join(", ")}`,
  );
}
