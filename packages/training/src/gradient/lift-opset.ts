import { GraphError, type ModelGraph, raiseOpset } from "@nasty/graph";
import { TrainingError } from "../training-error.js";

/** The operator set that training graphs use. */
export const trainingOpset = 21;

/**
 * Brings the operators of a model to operator set 21 where their meaning or form changed since theirs.
 *
 * @throws TrainingError `unsupported-opset` above 25 and below 1, and for an operator that no later set has.
 */
export function liftOpset(model: ModelGraph): void {
  const version = model.opset();
  if (version < 1 || version > 25) {
    throw new TrainingError(
      "unsupported-opset",
      `buildTrainingGraph: model: operator set: expected 1 to 25, got ${version}`,
    );
  }
  try {
    raiseOpset(model, trainingOpset);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const reason = error.message.replace(/^\w+: /, "");
    throw new TrainingError("unsupported-opset", `buildTrainingGraph: ${reason}`, { cause: error });
  }
  if (model.opset("com.microsoft") === 0) model.setOpset("com.microsoft", 1);
  if (model.irVersion < 10) model.setIrVersion(10);
}
