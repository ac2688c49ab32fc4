import type { ModelProto } from "@nasty/formats/onnx";
import { graphCondition } from "../plan/graph-condition.js";
import { save } from "../files/model-files.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { ApplyOptions } from "../modes/prepare.js";
import { quantize } from "../modes/quantize.js";
import type { TrainedPlanOptions } from "./plan-trained.js";

/**
 * Writes the INT8 or INT4 file of a model that was trained for it; a model that is quantized already is written as it
 * is.
 *
 * @returns size and SHA-256 of the file
 * @throws as `qat.quantize`; FormatError `unwritable`
 * @example
 * await qat.save(tuned.model, "models/pos_tagger_qat.onnx");
 */
export async function saveTrained(
  model: ModelProto,
  path: string,
  options: ApplyOptions & TrainedPlanOptions = {},
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const { quantized } = graphCondition(openForCompression(model).main);
  return save(quantized.size > 0 ? model : await quantize(model, { ...options, mode: "trained" }), path);
}
