import { InputError } from "../errors.js";
import type { Reporter } from "../reporter.js";
import { nameOf } from "../texts/text-form.js";
import type { FedModel } from "./calibration-batches.js";
import type { ReadCalibration } from "./calibration-text.js";
import type { GateRequest } from "./gate.js";
import type { Judge } from "./original.js";
import type { QuantizeSettings } from "./settings.js";
import { driftSamples, type GateSamples, validationText } from "./trial-text.js";

/** What a gate judges by; undefined for a tagger that is none. */
export async function gateSamples(
  gate: GateRequest,
  loaded: FedModel,
  settings: QuantizeSettings,
  read: ReadCalibration,
): Promise<GateSamples | undefined> {
  if (gate.measure === "agreement") return driftSamples(loaded, settings, read);
  const samples = await validationText(loaded, settings);
  return samples && { samples, path: settings.validation ?? "" };
}

/** Asks models what the gate is about. */
export function judgeOf(
  { measure, scheme }: GateRequest,
  { samples, path }: GateSamples,
  { kind }: FedModel,
  reporter: Reporter,
): Judge {
  const doing = kind.name === "token-classification" ? "tagging" : "running";
  return async (subject, title, reference) => {
    const step = `gate: ${doing} ${samples.length} ${kind.noun} with ${title}`;
    const verdict = await subject.judge(samples, { step, path, scheme, reference }, reporter);
    if (measure === "agreement" || verdict.metric !== null) return verdict;
    throw new InputError(
      `read ${nameOf(path)}: labels: expected the right answers, got none; give a file with labels, or --max-drift instead of --target-accuracy-loss`,
    );
  };
}
