import type { QuantizationPlan } from "@nasty/compression";
import { UsageError } from "../errors.js";
import { type GivenSettings, modeOf, type QuantizeMode } from "./settings.js";

/** An option that not every mode has a use for. */
interface ModeOption {
  readonly option: string;
  /** What was given, in the words of the command line; undefined if it was not. */
  readonly given: (settings: GivenSettings) => string | undefined;
  readonly modes: readonly QuantizeMode[];
  /** What the option needs, for the message. */
  readonly expected: string;
  /** Of these modes, only a model with int8 LSTMs gives the option something to do. */
  readonly ofLstms?: readonly QuantizeMode[];
}

const flag = (isGiven: boolean, name: string): string | undefined => (isGiven ? name : undefined);
const valued =
  (name: string, key: keyof GivenSettings) =>
  (settings: GivenSettings): string | undefined =>
    settings[key] === undefined ? undefined : `${name} ${String(settings[key])}`;

const blocks: readonly QuantizeMode[] = ["int4", "weight-only", "mixed"];
const inBlocks = "--mode int4 or weight-only, or --target-size";
const int8 = "a mode with int8 scales (static, dynamic; int4 for its LSTMs)";

/** Which modes each option acts in; in the others it is refused, so that none does nothing in silence. */
export const modeOptions: readonly ModeOption[] = [
  {
    option: "--method",
    given: valued("--method", "method"),
    modes: ["static"],
    expected: "--mode static (other modes have no ranges)",
  },
  {
    option: "--save-calibration-table",
    given: ({ saveCalibrationTable }) => flag(saveCalibrationTable !== undefined, "--save-calibration-table"),
    modes: ["static"],
    expected: "--mode static (other modes have no ranges)",
  },
  {
    option: "--calibration-table",
    given: ({ calibrationTable }) => flag(calibrationTable !== undefined, "--calibration-table"),
    modes: ["static"],
    expected: "--mode static (other modes have no ranges)",
  },
  {
    option: "--activations",
    given: valued("--activations", "activations"),
    modes: ["static"],
    expected: "static mode (other modes have no fixed ranges)",
  },
  { option: "--block-size", given: valued("--block-size", "blockSize"), modes: blocks, expected: inBlocks },
  { option: "--rounding", given: valued("--rounding", "rounding"), modes: blocks, expected: inBlocks },
  {
    option: "--accuracy-level",
    given: valued("--accuracy-level", "accuracyLevel"),
    modes: blocks,
    expected: inBlocks,
  },
  {
    option: "--no-per-channel",
    given: ({ perChannel }) => flag(!perChannel, "--no-per-channel"),
    modes: ["static", "dynamic", "int4"],
    expected: int8,
    ofLstms: ["int4"],
  },
  {
    option: "--reduce-range",
    given: ({ reduceRange }) => flag(reduceRange === true, "--reduce-range"),
    modes: ["static", "dynamic", "int4"],
    expected: int8,
    ofLstms: ["int4"],
  },
  {
    option: "--pairs",
    given: valued("--pairs", "pairs"),
    modes: ["static", "dynamic", "int4", "mixed"],
    expected:
      "a mode with int8 products (static, dynamic; int4 for its LSTMs; weight-only is exact everywhere)",
    ofLstms: ["int4"],
  },
  {
    option: "--op-types",
    given: valued("--op-types", "opTypes"),
    modes: ["static", "dynamic", "int4", "weight-only"],
    expected: "no --target-size, which chooses by itself",
  },
];

/** @throws UsageError for an option that the mode has no use for */
export function checkModeOptions(settings: GivenSettings): void {
  const mode = modeOf(settings);
  for (const { given, modes, expected } of modeOptions) {
    const shown = given(settings);
    if (shown === undefined || modes.includes(mode)) continue;
    throw new UsageError(`quantize: ${shown}: expected ${expected}, got ${mode}`);
  }
}

/** @throws UsageError for an option that needs an int8 LSTM, if the plan has none */
export function checkPlanOptions(settings: GivenSettings, { tensors }: QuantizationPlan): void {
  const mode = modeOf(settings);
  if (tensors.some(({ op }) => op === "LSTM")) return;
  for (const { given, ofLstms } of modeOptions) {
    const shown = given(settings);
    if (shown === undefined || ofLstms?.includes(mode) !== true) continue;
    throw new UsageError(
      `quantize: ${shown}: expected a model with LSTMs (the only int8 weights of --mode ${mode}), got one without`,
    );
  }
}
