import { type Command, InvalidArgumentError, Option } from "commander";
import type { QuantizationAware } from "@nasty/tagger-training";
import { positiveInteger, share } from "../arguments/option-values.js";
import { UsageError } from "../exit-codes.js";

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

/** Adds `--qat` and what goes with it. */
export function withQat(command: Command): Command {
  return command
    .option("--qat", "train what the quantized model will compute, and write that model too")
    .addOption(
      new Option("--bits <n>", "with --qat: bits of the weights, 8 or 4 (default: 8)").argParser(bitsOf),
    )
    .addOption(
      new Option(
        "--qat-block-size <n>",
        "with --qat --bits 4: weights that share a scale, 16 to 256 (default: 32)",
      ).argParser(positiveInteger),
    )
    .addOption(
      new Option(
        "--qat-start <share>",
        "with --qat: share of the steps before rounding begins (default: 0.1)",
      ).argParser(share),
    )
    .addOption(
      new Option(
        "--qat-ranges <how>",
        "with --qat: how ranges of activations are found (default: moving-average)",
      ).choices(["moving-average", "learned"]),
    )
    .addOption(
      new Option(
        "--qat-activations <mode>",
        "with --qat: how activations are rounded (default: static, dynamic with LSTMs, float with 4 bits)",
      ).choices(["static", "dynamic", "float"]),
    )
    .addOption(
      new Option(
        "--qat-pairs <which>",
        "with --qat: int8 weights whose products are exact on every processor (safe), or with int8 dot products only (full) (default: safe)",
      ).choices(["safe", "full"]),
    );
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

function bitsOf(text: string): 8 | 4 {
  if (text === "8") return 8;
  if (text === "4") return 4;
  throw new InvalidArgumentError("Expected 8 or 4.");
}
