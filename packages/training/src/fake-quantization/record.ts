import { mixWords } from "@nasty/core";
import { TrainingError } from "../training-error.js";
import type { ActivationMode, RangeMode } from "./options.js";

/** A weight whose rounding was part of training. */
export interface TrainedWeight {
  readonly name: string;
  readonly op: "MatMul" | "Gemm" | "Gather" | "LSTM";
  /**
   * Axis of the channels in the stored weight, or of the blocks; 0 for an LSTM, whose channels are gates of directions.
   */
  readonly axis: number;
  /** Elements of a block; undefined for a scale a channel. */
  readonly blockSize?: number;
  readonly symmetric: boolean;
  readonly scales: number;
  /** Hash of the scales: 16 hexadecimal digits. */
  readonly scalesHash: string;
}

/** The range that training rounded an activation to. */
export interface TrainedActivation {
  readonly min: number;
  readonly max: number;
  readonly scale: number;
  readonly zeroPoint: number;
}

/** What a model was trained to be quantized to: plain data, which travels in the model's metadata. */
export interface QuantizationRecord {
  readonly schemaVersion: 1;
  readonly bits: 8 | 4;
  readonly fakeQuantize: boolean;
  readonly activationMode: ActivationMode;
  readonly rangeMode: RangeMode;
  /** With 4 bits. */
  readonly blockSize?: number;
  /** Which int8 weights the scales allow; records without it are of full ranges. */
  readonly pairs?: "safe" | "full";
  readonly weights: readonly TrainedWeight[];
  /** By tensor, for static activations. */
  readonly activations: Readonly<Record<string, TrainedActivation>>;
}

/** Which int8 weights a record's scales allow: before there was a choice, the full range. */
export const pairsOf = ({ pairs = "full" }: QuantizationRecord): "safe" | "full" => pairs;

/** Metadata key of a model's {@link QuantizationRecord}. */
export const quantizationRecordKey = "nasty.qat";

/** Tells scales from others: equal only for equal bits, in order. */
export function hashScales(scales: Float32Array): string {
  const words = new Uint32Array(Float32Array.from(scales).buffer);
  let [a, b] = [words.length, 0x9e3779b9];
  for (const word of words) {
    a = mixWords(a, word);
    b = mixWords(b ^ a, word);
  }
  return [a, b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

export const serializeQuantizationRecord = (record: QuantizationRecord): string => JSON.stringify(record);

/**
 * Reads a record from a model's metadata.
 *
 * @throws TrainingError `quantization-record` naming the field
 */
export function parseQuantizationRecord(text: string): QuantizationRecord {
  let record: Partial<QuantizationRecord>;
  try {
    record = JSON.parse(text) as Partial<QuantizationRecord>;
  } catch (cause) {
    throw refuse("document", "JSON", (cause as Error).message);
  }
  if (typeof record !== "object" || record === null || Array.isArray(record))
    throw refuse("document", "an object", JSON.stringify(record));
  const { schemaVersion, bits, activationMode, rangeMode, pairs, weights, activations } = record;
  expectOne("schemaVersion", schemaVersion, [1]);
  expectOne("bits", bits, [8, 4]);
  expectOne("activationMode", activationMode, ["static", "dynamic", "float"]);
  expectOne("rangeMode", rangeMode, ["moving-average", "learned"]);
  if (pairs !== undefined) expectOne("pairs", pairs, ["safe", "full"]);
  if (!Array.isArray(weights)) throw refuse("weights", "a list", typeof weights);
  for (const [i, weight] of (weights as readonly Partial<TrainedWeight>[]).entries()) {
    const where = `weights[${i}]`;
    if (typeof weight?.name !== "string") throw refuse(`${where}: name`, "a string", typeof weight?.name);
    expectOne(`${where}: op`, weight.op, ["MatMul", "Gemm", "Gather", "LSTM"]);
    expectOne(`${where}: axis`, weight.axis, [0, 1]);
    if (!/^[\da-f]{16}$/.test(String(weight.scalesHash)))
      throw refuse(`${where}: scalesHash`, "16 hexadecimal digits", String(weight.scalesHash));
  }
  if (typeof activations !== "object" || activations === null)
    throw refuse("activations", "an object", typeof activations);
  for (const [name, range] of Object.entries(activations)) {
    for (const key of ["min", "max", "scale", "zeroPoint"] as const) {
      if (!Number.isFinite(range?.[key]))
        throw refuse(`activations: ${name}: ${key}`, "a finite number", String(range?.[key]));
    }
    if (range.min > range.max)
      throw refuse(`activations: ${name}: min`, `at most ${range.max}`, `${range.min}`);
  }
  return record as QuantizationRecord;
}

function expectOne(field: string, value: unknown, choices: readonly unknown[]): void {
  if (!choices.includes(value)) throw refuse(field, choices.join(" or "), JSON.stringify(value));
}

function refuse(field: string, expected: string, got: string | undefined): TrainingError {
  return new TrainingError(
    "quantization-record",
    `parseQuantizationRecord: ${field}: expected ${expected}, got ${got ?? "nothing"}`,
  );
}
