import type { QuantizationAware } from "@nasty/taggers/training";
import { UsageError } from "../errors.js";

/** Options of commands that can train for quantization. */
export interface QatArguments {
  readonly qat?: boolean;
  readonly bits?: 8 | 4;
  readonly qatStart?: number;
  readonly qatRanges?: "moving-average" | "learned";
  readonly qatBlockSize?: number;
  readonly qatActivations?: "static" | "dynamic" | "float";
  readonly qatPairs?: "safe" | "full";
}

/** The settings of a quantization-aware training. */
export function qatSettings(operation: string, options: QatArguments): QuantizationAware {
  const { qat = false, bits, qatStart, qatRanges, qatActivations, qatBlockSize, qatPairs } = options;
  const given = {
    ...(bits === undefined ? {} : { bits }),
    ...(qatBlockSize === undefined ? {} : { blockSize: qatBlockSize }),
    ...(qatStart === undefined ? {} : { start: qatStart }),
    ...(qatRanges === undefined ? {} : { ranges: qatRanges }),
    ...(qatActivations === undefined ? {} : { activations: qatActivations }),
    ...(qatPairs === undefined ? {} : { pairs: qatPairs }),
  };
  if (qat) return { quantizationAware: true, qatOptions: given };
  const names = {
    bits: "--bits",
    blockSize: "--qat-block-size",
    start: "--qat-start",
    ranges: "--qat-ranges",
    activations: "--qat-activations",
    pairs: "--qat-pairs",
  };
  const [first] = Object.keys(given) as (keyof typeof names)[];
  if (first === undefined) return {};
  throw new UsageError(`${operation}: ${names[first]}: expected --qat with it, got none`);
}
