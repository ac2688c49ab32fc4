import type { CalibrationTable } from "@nasty/calibration";
import type { ModelProto } from "@nasty/formats/onnx";
import { pairsOf, type QuantizationRecord } from "@nasty/training";
import { planInt4 } from "../block-weights/weight-only.js";
import { CompressionError } from "../compression-error.js";
import { planDynamic } from "../modes/dynamic.js";
import { int8Activations, planInt8 } from "../modes/int8.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { TrainedPlan } from "../plan/plan.js";
import { findWeightSites, nodeLabel } from "../plan/weight-sites.js";
import { requiredRecord } from "./trained-record.js";

/** Training rounds no convolutions. */
const trainedOps = ["MatMul", "Gemm", "Gather"] as const;

export interface TrainedPlanOptions {
  /** What training recorded; default: what the model's metadata says. */
  readonly record?: QuantizationRecord;
  /**
   * What the kernel of 4-bit weights may round activations to. Default 1, float32: as trained. 4 (int8) is faster and
   * flips labels.
   */
  readonly accuracyLevel?: 0 | 1 | 2 | 3 | 4;
}

/**
 * Ranges of trained activations as a calibration table, for `int8.plan`: by the names that products of this model read
 * them under.
 */
export function trainedTable(model: ModelProto, record: QuantizationRecord): CalibrationTable {
  const { main } = openForCompression(model);
  const tensors = Object.create(null) as Record<string, CalibrationTable["tensors"][string]>;
  for (const name of int8Activations(model, { opTypes: trainedOps, skipLayers: untrained(model, record) })) {
    // Dropout does nothing once a model is trained; ranges are those of the tensor in front of it.
    let source = name;
    for (
      let node = main.producer(source);
      node?.opType === "Dropout" && record.activations[source] === undefined;
      node = main.producer(source)
    )
      source = node.input[0] ?? "";
    const range = record.activations[source];
    if (range === undefined) {
      throw new CompressionError(
        "missing-range",
        `qat.plan: activation ${JSON.stringify(name)}: range: expected one that was trained, got none of ${Object.keys(record.activations).length}; the graph is not the trained one`,
        { tensor: name },
      );
    }
    const { min, max } = range;
    tensors[name] = { min, max, seenMin: min, seenMax: max, count: 1, masked: 0 };
  }
  return { schemaVersion: 1, method: "moving-average", parameters: {}, samples: 1, tensors };
}

/**
 * Plans the quantization that a model was trained for: the same weights, scales and ranges, nothing else.
 *
 * @param model the float model of a quantization-aware training; not changed
 * @returns a plan of mode `static`, `dynamic` or `int4`, with `quantizationAware` among its options
 * @throws CompressionError `no-trained-ranges`, `missing-range`, `scale-mismatch` (an activation); TrainingError
 *   `quantization-record`
 */
export async function planTrained(model: ModelProto, options: TrainedPlanOptions = {}): Promise<TrainedPlan> {
  const record = requiredRecord("qat.plan", model, options.record);
  const plan = await planOf(model, record, options);
  for (const { name, scale, zeroPoint } of plan.activations) {
    const trained = Object.values(record.activations).some(
      (range) => range.scale === scale && range.zeroPoint === zeroPoint,
    );
    if (trained) continue;
    throw new CompressionError(
      "scale-mismatch",
      `qat.plan: activation ${JSON.stringify(name)}: scale: expected the trained one, got ${scale} (zero point ${zeroPoint})`,
      { tensor: name },
    );
  }
  return {
    ...plan,
    options: {
      ...plan.options,
      ...(plan.mode === "static" ? { calibrationMethod: record.rangeMode } : {}),
      quantizationAware: true,
    },
  };
}

async function planOf(
  model: ModelProto,
  record: QuantizationRecord,
  { accuracyLevel = 1 }: TrainedPlanOptions,
): Promise<TrainedPlan> {
  const skipLayers = untrained(model, record);
  const { bits, activationMode, blockSize, weights } = record;
  const pairs = pairsOf(record);
  if (bits === 4) {
    return planInt4(model, {
      skipLayers,
      symmetric: weights.every(({ symmetric }) => symmetric),
      minimumElements: 0,
      pairs,
      ...(blockSize === undefined ? {} : { blockSize }),
      accuracyLevel,
    });
  }
  if (activationMode === "dynamic") return planDynamic(model, { skipLayers, minimumElements: 0, pairs });
  if (activationMode === "static") {
    const calibrationTable = trainedTable(model, record);
    return planInt8(model, { calibrationTable, opTypes: trainedOps, skipLayers, minimumElements: 0, pairs });
  }
  throw new CompressionError(
    "no-trained-ranges",
    "qat.plan: record: activations: expected static or dynamic ones with 8 bits, got float; use weightOnly",
  );
}

/** Nodes of the model whose weights were not trained to be rounded: they stay in float. */
function untrained(model: ModelProto, { weights }: QuantizationRecord): string[] {
  const trained = new Set(weights.map(({ name }) => name));
  const { sites } = findWeightSites(openForCompression(model));
  return [
    ...new Set(
      sites
        .filter((site) => site.op !== "Conv" && !site.weights.every(({ name }) => trained.has(name)))
        .map(({ node }) => nodeLabel(node)),
    ),
  ];
}
