import type { ModelProto } from "@nasty/formats/onnx";
import type { DynamicPlan, QuantizedForm } from "../plan/plan.js";
import { planWeights, type WeightOptions } from "../plan/plan-weights.js";
import { conditionWarnings, graphCondition } from "../plan/graph-condition.js";
import { chosenOptions, modelWarnings } from "../plan/plan-options.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { WeightSite } from "../plan/weight-sites.js";

/** What {@link planDynamic} takes. */
export type DynamicOptions = WeightOptions;

const defaults: Required<WeightOptions> = {
  perChannel: true,
  symmetric: true,
  reduceRange: false,
  pairs: "safe",
  skipLayers: [],
  opTypes: ["MatMul", "Gemm", "Gather", "LSTM"],
  minimumElements: 64,
};

const slowConvolution =
  "ConvInteger has no fast int8 kernel (slower than float32; static quantization has one; add Conv to opTypes for size alone)";

/** DynamicQuantizeLinear came with opset 11. */
const standardSince = 11;

function formFor(
  opset: number,
  opTypes: Required<WeightOptions>["opTypes"],
): (site: WeightSite) => QuantizedForm | { readonly reason: string } {
  return ({ op }) => {
    switch (op) {
      case "MatMul":
      case "Gemm":
        return opset >= standardSince ? "MatMulInteger" : "DynamicQuantizeMatMul";
      case "Gather":
        return "Gather";
      case "LSTM":
        return "DynamicQuantizeLSTM";
      case "Conv":
        if (opset < standardSince) return { reason: `opset ${opset} has no DynamicQuantizeLinear` };
        return opTypes.includes("Conv") ? "ConvInteger" : { reason: slowConvolution };
      default: {
        const unreachable: never = op;
        throw new TypeError(`dynamic.plan: ${String(unreachable)}`);
      }
    }
  };
}

/**
 * Plans dynamic quantization: weights become int8 now, activations uint8 at each run, by their own range.
 *
 * Quantized are MatMul and Gemm with constant weights, embeddings (Gather on a float table) and LSTM, in subgraphs too;
 * weights in Constant nodes, transposed and shared ones included. Everything else is listed in `keptInFloat` with the
 * reason.
 *
 * @param model an unfused float32 graph; not changed
 * @throws CompressionError `no-such-layer` (a pattern without a match), `invalid-option`
 * @example
 * const plan = await dynamic.plan(model, { skipLayers: ["/classifier/**"] });
 */
export function planDynamic(model: ModelProto, options: DynamicOptions = {}): DynamicPlan {
  const chosen = chosenOptions(defaults, options);
  const graph = openForCompression(model);
  const weights = planWeights(graph, "dynamic.plan", chosen, formFor(graph.opset(), chosen.opTypes));
  return {
    schemaVersion: 1,
    mode: "dynamic",
    options: { ...chosen },
    tensors: weights.tensors,
    activations: [],
    keptInFloat: weights.keptInFloat,
    warnings: [
      ...modelWarnings(model),
      ...conditionWarnings(graphCondition(graph.main)),
      ...weights.warnings,
    ],
  };
}
