import {
  type Batches,
  collectRanges,
  type CalibrationMethod,
  type CalibrationTable,
  type CollectOptions,
} from "@nasty/calibration";
import { chooseScale } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { GraphError, ModelGraph, raiseOpset } from "@nasty/graph";
import { CompressionError } from "../compression-error.js";
import { convolutionResult, floatConvolutionReason } from "../plan/convolution.js";
import { conditionWarnings, graphCondition } from "../plan/graph-condition.js";
import type { PlannedActivation, PlannedTensor, QuantizedForm, StaticPlan } from "../plan/plan.js";
import { chosenOptions, modelWarnings } from "../plan/plan-options.js";
import { type FormOf, planWeights, type WeightOptions } from "../plan/plan-weights.js";
import { openForCompression, prepareModel } from "../files/open-for-compression.js";
import type { WeightSite } from "../plan/weight-sites.js";

/** How a static plan is made, beside where its ranges come from. */
export interface StaticOptions extends WeightOptions {
  /** Type of quantized activations. Default uint8, which the runtime's kernels are fastest with. */
  readonly activationType?: "uint8" | "int8";
  /** Activations' zero point in the middle; independent of the weights'. Default false. */
  readonly activationSymmetric?: boolean;
}

/** What the ranges of activations are measured on. */
export interface CalibrationOptions {
  /** Batches to run the float model on; padding is left out by their masks. */
  readonly calibrationData?: Batches;
  /** Ranges measured before; wins over `calibrationData`. */
  readonly calibrationTable?: CalibrationTable;
  /** Default minmax. */
  readonly method?: CalibrationMethod;
  /** For the percentile method. Default 99.99. */
  readonly percentile?: number;
  /** Samples to use, and to refuse fewer than. */
  readonly limit?: number;
  readonly onProgress?: (samples: number) => void;
  /** Threads of the session that runs the float model. Default 1. */
  readonly threads?: number;
  /** Looked at before each run. */
  readonly signal?: AbortSignal;
}

const defaults: Required<StaticOptions> = {
  perChannel: true,
  symmetric: true,
  reduceRange: false,
  pairs: "safe",
  skipLayers: [],
  opTypes: ["MatMul", "Gemm", "Gather", "Conv"],
  minimumElements: 64,
  activationType: "uint8",
  activationSymmetric: false,
};

/** QLinearConv, which the runtime makes of a static convolution, came with opset 10. */
const convolutionSince = 10;

/** Why no convolution of this model can be static int8: its operator set is too old and cannot be raised. */
function convolutionObstacle(graph: ModelGraph): string | undefined {
  const opset = graph.opset();
  if (opset >= convolutionSince) return undefined;
  try {
    raiseOpset(ModelGraph.from(graph.toModel()), convolutionSince);
    return undefined;
  } catch (error) {
    if (!(error instanceof GraphError) || error.code !== "unsupported-opset") throw error;
    return `its int8 kernel needs opset ${convolutionSince}, to which opset ${opset} cannot be raised: ${error.message}`;
  }
}

function staticForms(graph: ModelGraph): FormOf {
  let obstacle: { readonly reason: string | undefined } | undefined;
  return (site) => {
    const form = formOf(site);
    if (site.op !== "Conv" || form !== "QDQ") return form;
    obstacle ??= { reason: convolutionObstacle(graph) };
    return obstacle.reason === undefined ? form : { reason: obstacle.reason };
  };
}

function formOf(site: WeightSite): QuantizedForm | { readonly reason: string } {
  switch (site.op) {
    case "MatMul":
    case "Gemm":
      return site.graph.parent === undefined
        ? "QDQ"
        : {
            reason:
              "its activation is inside a subgraph, where no range can be measured (dynamic quantization can)",
          };
    case "Gather":
      return "Gather";
    case "LSTM":
      return {
        reason:
          "activations of the int8 LSTM are quantized at run time (use dynamic quantization, here or on the static result for LSTM alone)",
      };
    case "Conv": {
      const reason = floatConvolutionReason(site);
      return reason === undefined ? "QDQ" : { reason };
    }
    default: {
      const unreachable: never = site.op;
      throw new TypeError(`int8.plan: ${String(unreachable)}`);
    }
  }
}

/** Names of the activations that enter the planned products, and that convolutions make, each once. */
function activationNames(
  model: ModelProto,
  tensors: readonly PlannedTensor[],
  { activationSymmetric }: Required<StaticOptions>,
): string[] {
  const { main } = openForCompression(model);
  const names = new Set<string>();
  for (const { sites } of tensors) {
    for (const { form, op, output } of sites) {
      const node = form === "QDQ" ? main.producer(output) : undefined;
      if (node === undefined) continue;
      names.add(node.input[0] ?? "");
      if (op === "Conv") names.add(convolutionResult(main, node, activationSymmetric));
    }
  }
  return [...names];
}

function plannedActivation(
  name: string,
  table: CalibrationTable,
  { activationType: dtype, activationSymmetric: symmetric }: Required<StaticOptions>,
): PlannedActivation {
  const range = Object.hasOwn(table.tensors, name) ? table.tensors[name] : undefined;
  if (range === undefined) {
    throw new CompressionError(
      "missing-range",
      `int8.plan: activation ${JSON.stringify(name)}: range: expected one in the calibration table, got none of ${Object.keys(table.tensors).length}`,
      { tensor: name },
    );
  }
  const { min, max } = range;
  return { name, graph: "main", dtype, symmetric, min, max, ...chooseScale(min, max, { dtype, symmetric }) };
}

async function tableFor(
  model: ModelProto,
  names: readonly string[],
  {
    calibrationData,
    calibrationTable,
    method,
    percentile,
    limit,
    onProgress,
    threads,
    signal,
  }: CalibrationOptions,
  options: Required<StaticOptions>,
): Promise<CalibrationTable> {
  if (calibrationTable !== undefined) {
    return calibrationTable;
  }
  if (calibrationData === undefined) {
    throw new CompressionError(
      "no-calibration-data",
      "int8.plan: calibrationData: expected batches to run (or a calibrationTable), got none; dynamic quantization needs none",
    );
  }
  const collect: CollectOptions = {
    scheme: { dtype: options.activationType, symmetric: options.activationSymmetric },
    ...(method === undefined ? {} : { method }),
    ...(percentile === undefined ? {} : { percentile }),
    ...(limit === undefined ? {} : { limit }),
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(threads === undefined ? {} : { threads }),
    ...(signal === undefined ? {} : { signal }),
  };
  return collectRanges(prepareModel(model).model, names, calibrationData, collect);
}

/**
 * Names of the activations whose ranges {@link planInt8} would ask for, each once: to measure a table once and keep it.
 *
 * They are values of what `prepareModel` makes of the model, which is the model itself for most.
 *
 * @throws CompressionError `no-such-layer`, `invalid-option`
 * @example
 * const table = await collectRanges(model, int8.activations(model), batches); // serializeCalibrationTable keeps it
 */
export function int8Activations(model: ModelProto, options: StaticOptions = {}): string[] {
  const chosen = chosenOptions(defaults, options);
  const graph = openForCompression(model);
  const { tensors } = planWeights(graph, "int8.activations", chosen, staticForms(graph));
  return activationNames(model, tensors, chosen);
}

/**
 * Plans static quantization: int8 weights, and activations rounded to ranges that were measured on samples.
 *
 * Quantized are MatMul, Gemm and Conv with constant weights, and embeddings; nothing else: there are no int8 CPU
 * kernels for the rest, and rounding it costs accuracy. The result of a Conv is rounded too, behind its Relu or Clip;
 * shapes whose int8 kernel is slower stay in float. Masked scores and padding never enter a range.
 *
 * @param model an unfused float32 graph; not changed
 * @param options `calibrationData` or `calibrationTable` is required
 * @throws CompressionError `no-calibration-data`, `missing-range`, `no-such-layer`, `invalid-option`; CalibrationError
 *   of the measurement
 * @example
 * const plan = await int8.plan(model, { calibrationData: batches, method: "percentile" });
 */
export async function planInt8(
  model: ModelProto,
  options: StaticOptions & CalibrationOptions,
): Promise<StaticPlan> {
  const names = int8Activations(model, options);
  const chosen = chosenOptions(defaults, options);
  const table = names.length === 0 ? undefined : await tableFor(model, names, options, chosen);
  return planFromTable(model, options, table);
}

/** The plan of ranges that are known; without a table a model has no activations to round. */
export function planFromTable(
  model: ModelProto,
  options: StaticOptions,
  table: CalibrationTable | undefined,
): StaticPlan {
  const chosen = chosenOptions(defaults, options);
  const graph = openForCompression(model);
  const weights = planWeights(graph, "int8.plan", chosen, staticForms(graph));
  return {
    schemaVersion: 1,
    mode: "static",
    options: {
      ...chosen,
      calibrationMethod: table?.method ?? "minmax",
      calibrationParameters: table?.parameters ?? {},
      calibrationSamples: table?.samples ?? 0,
    },
    tensors: weights.tensors,
    activations:
      table === undefined
        ? []
        : activationNames(model, weights.tensors, chosen).map((name) =>
            plannedActivation(name, table, chosen),
          ),
    keptInFloat: weights.keptInFloat,
    warnings: [
      ...modelWarnings(model),
      ...conditionWarnings(graphCondition(graph.main)),
      ...weights.warnings,
    ],
  };
}
