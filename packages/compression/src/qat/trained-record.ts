import { getMetadata, type ModelProto } from "@nasty/formats/onnx";
import { parseQuantizationRecord, type QuantizationRecord, quantizationRecordKey } from "@nasty/training";
import { CompressionError } from "../compression-error.js";

/**
 * What a float model was trained to be quantized to, from its metadata; undefined if it was not.
 *
 * @throws TrainingError `quantization-record` if there is a record that cannot be read
 */
export function trainedRecord(model: ModelProto): QuantizationRecord | undefined {
  const text = getMetadata(model, quantizationRecordKey);
  return text === undefined ? undefined : parseQuantizationRecord(text);
}

/** @throws CompressionError `no-trained-ranges` */
export function requiredRecord(
  operation: string,
  model: ModelProto,
  record: QuantizationRecord | undefined,
): QuantizationRecord {
  const found = record ?? trainedRecord(model);
  if (found !== undefined) return found;
  throw new CompressionError(
    "no-trained-ranges",
    `${operation}: model: ${quantizationRecordKey}: expected what a quantization-aware training recorded, got none; train with quantizationAware, or use int8 with calibration data`,
  );
}
