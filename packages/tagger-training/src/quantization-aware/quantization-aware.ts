import { type ModelProto, withMetadata } from "@nasty/formats/onnx";
import { TaggerError } from "@nasty/taggers";
import {
  type FakeQuantization,
  fakeQuantization,
  type FakeQuantizationOptions,
  type QuantizationRecord,
  quantizationRecordKey,
  serializeQuantizationRecord,
} from "@nasty/training";

/** How quantization is simulated, with shares of the training instead of steps. */
export interface QatOptions extends Omit<FakeQuantizationOptions, "startStep" | "freezeStep"> {
  /** Share of the steps before rounding begins. Default 0.1. */
  readonly start?: number;
  /**
   * Share of the steps after which ranges of activations stay as they are. Default 0.7, or halfway from `start` to the
   * end.
   */
  readonly freeze?: number;
}

/** What a training takes to be aware of quantization. */
export interface QuantizationAware {
  /** Train what the quantized model will compute. Default false. */
  readonly quantizationAware?: boolean;
  /** Only with `quantizationAware`. */
  readonly qatOptions?: QatOptions;
}

/**
 * The modifier of a quantization-aware training, or undefined for another one.
 *
 * @throws TaggerError `option` for options without `quantizationAware`, and for shares that are none; TrainingError
 *   `invalid-option`
 */
export function quantizationOf(
  operation: string,
  { quantizationAware = false, qatOptions }: QuantizationAware,
  totalSteps: number,
): FakeQuantization | undefined {
  if (!quantizationAware) {
    if (qatOptions === undefined) return undefined;
    throw refuse(operation, "qatOptions", "quantizationAware: true with it", String(quantizationAware));
  }
  const { start = 0.1, freeze = Math.max(0.7, (1 + start) / 2), ...options } = qatOptions ?? {};
  if (!(start >= 0 && start < 1)) throw refuse(operation, "start", "a number in [0, 1)", start);
  if (!(freeze > start && freeze <= 1))
    throw refuse(operation, "freeze", `a number above start (${start}), up to 1`, freeze);
  return fakeQuantization({
    ...options,
    startStep: Math.floor(totalSteps * start),
    freezeStep: Math.max(1, Math.ceil(totalSteps * freeze)),
  });
}

/** The model with the record of its quantization in its metadata. */
export function withRecord(model: ModelProto, record: QuantizationRecord | undefined): ModelProto {
  return record === undefined
    ? model
    : withMetadata(model, { [quantizationRecordKey]: serializeQuantizationRecord(record) });
}

function refuse(operation: string, name: string, expected: string, got: unknown): TaggerError {
  return new TaggerError("option", `${operation}: ${name}: expected ${expected}, got ${String(got)}`, {
    name,
  });
}
