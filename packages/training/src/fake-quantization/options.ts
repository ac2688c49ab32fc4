import type { NamePattern } from "@nasty/graph/patterns";
import { TrainingError } from "../training-error.js";

/** How activations of quantized products are rounded in training. */
export type ActivationMode =
  /** uint8 with scales of their own that are exported: what static quantization computes. */
  | "static"
  /** uint8 with the scale of each batch, padding included: what DynamicQuantizeLinear computes. */
  | "dynamic"
  /** Not rounded. */
  | "float";

/** Where the scales of static activations come from. */
export type RangeMode =
  /** Averages of the batches' smallest and largest values. */
  | "moving-average"
  /** Trained beside the weights, from the moving average at the start on. */
  | "learned";

export interface FakeQuantizationOptions {
  /**
   * 8: weights as int8 with a scale a channel (an embedding: a column). 4: weights in blocks along the summed axis (an
   * embedding: along its rows), LSTMs as with 8. Default 8.
   */
  readonly bits?: 8 | 4;
  /** False only observes ranges: nothing is rounded. Default true. */
  readonly fakeQuantize?: boolean;
  /**
   * Default `static` with 8 bits (`dynamic` for a model with LSTMs, whose kernel quantizes as it goes), `float` with 4.
   */
  readonly activations?: ActivationMode;
  /** Default `moving-average`. */
  readonly ranges?: RangeMode;
  /** Steps that are trained without rounding first; ranges are observed meanwhile. Default 0. */
  readonly startStep?: number;
  /** After this step moving averages no longer change. Default: never. */
  readonly freezeStep?: number;
  /** Weight of a batch in the moving average. Until 1/averaging batches were seen, their plain mean. Default 0.01. */
  readonly averaging?: number;
  /** Weights of 4 bits that share a scale: 16, 32, 64, 128 or 256. Default 32. */
  readonly blockSize?: number;
  /** 4 bits: blocks from −8 to 7 times a signed scale, without zero points. Default true. */
  readonly symmetric?: boolean;
  /**
   * Which int8 weights the scales allow: `safe` ones, whose products are exact on every processor, or the `full` range,
   * for processors with VNNI only. Default `safe`.
   */
  readonly pairs?: "safe" | "full";
  /** Names of nodes or weights that stay in float. */
  readonly skipLayers?: readonly NamePattern[];
  /** Weights with fewer elements stay in float. Default 64. */
  readonly minimumElements?: number;
}

/** The options with their defaults; `activations` is chosen once the graph is known. */
export type ChosenOptions = Required<Omit<FakeQuantizationOptions, "activations">> & {
  readonly activations: ActivationMode | undefined;
};

/** @throws TrainingError `invalid-option` naming it. */
export function chosenOptions(options: FakeQuantizationOptions): ChosenOptions {
  const chosen: ChosenOptions = {
    bits: options.bits ?? 8,
    fakeQuantize: options.fakeQuantize ?? true,
    activations: options.activations,
    ranges: options.ranges ?? "moving-average",
    startStep: options.startStep ?? 0,
    freezeStep: options.freezeStep ?? Number.POSITIVE_INFINITY,
    averaging: options.averaging ?? 0.01,
    blockSize: options.blockSize ?? 32,
    symmetric: options.symmetric ?? true,
    pairs: options.pairs ?? "safe",
    skipLayers: options.skipLayers ?? [],
    minimumElements: options.minimumElements ?? 64,
  };
  const { bits, activations, ranges, startStep, freezeStep, averaging, blockSize, pairs, minimumElements } =
    chosen;
  check("bits", bits, bits === 8 || bits === 4, "8 or 4");
  const modes = [undefined, "static", "dynamic", "float"];
  check("activations", activations, modes.includes(activations), "static, dynamic or float");
  check(
    "activations",
    activations,
    bits === 8 || activations === undefined || activations === "float",
    "float with 4 bits",
  );
  check("ranges", ranges, ["moving-average", "learned"].includes(ranges), "moving-average or learned");
  check("startStep", startStep, Number.isInteger(startStep) && startStep >= 0, "a whole number of 0 or more");
  check("freezeStep", freezeStep, freezeStep > 0, "a positive number");
  check("averaging", averaging, averaging > 0 && averaging <= 1, "a number in (0, 1]");
  check("blockSize", blockSize, [16, 32, 64, 128, 256].includes(blockSize), "16, 32, 64, 128 or 256");
  check("pairs", pairs, ["safe", "full"].includes(pairs), "safe or full");
  check("minimumElements", minimumElements, minimumElements >= 0, "a whole number of 0 or more");
  return chosen;
}

function check(name: string, value: unknown, valid: boolean, expected: string): void {
  if (valid) return;
  throw new TrainingError(
    "invalid-option",
    `fakeQuantization: ${name}: expected ${expected}, got ${String(value)}`,
  );
}
