import type { QuantizationAware } from "@nasty/tagger-training";
import { UsageError } from "../errors.js";
import type { qat } from "../operations/shared-options.js";
import { given } from "../schema/given-settings.js";
import type { SettingsOf } from "../schema/option.js";

/** Settings of operations that can train for quantization. */
export type QatArguments = SettingsOf<{ readonly qat: typeof qat }>;

/** The flags of the options of a quantization-aware training. */
const flags = {
  bits: "--bits",
  blockSize: "--qat-block-size",
  start: "--qat-start",
  ranges: "--qat-ranges",
  activations: "--qat-activations",
  pairs: "--qat-pairs",
} as const;

/**
 * The settings of a quantization-aware training.
 *
 * @throws UsageError for an option of one without `--qat`
 */
export function qatSettings(operation: string, settings: QatArguments): QuantizationAware {
  const { qat: isOn = false, bits, qatBlockSize, qatStart, qatRanges, qatActivations, qatPairs } = settings;
  const named = {
    bits,
    blockSize: qatBlockSize,
    start: qatStart,
    ranges: qatRanges,
    activations: qatActivations,
    pairs: qatPairs,
  };
  const names = Object.keys(flags) as (keyof typeof flags)[];
  if (isOn) return { quantizationAware: true, qatOptions: given(named, ...names) };
  const first = names.find((name) => named[name] !== undefined);
  if (first === undefined) return {};
  throw new UsageError(`${operation}: ${flags[first]}: expected --qat with it, got none`);
}
