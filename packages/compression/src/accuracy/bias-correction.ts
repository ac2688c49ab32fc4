import { tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import type { Graph } from "@nasty/graph";
import type { Tensor } from "@nasty/core";
import { channelStatistics } from "../activations/channel-statistics.js";
import { requireBatches } from "../activations/visit-vectors.js";
import type { CompensationOptions } from "../block-weights/compensate.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { QuantizationPlan } from "../plan/plan.js";
import { memoized, quantizerOf } from "../modes/prepare.js";
import { readWeight, resolveWeight } from "../plan/resolve-weight.js";
import { floatWeight, plannedProducts, realWeight, type PlannedProduct } from "./planned-products.js";

/** A corrected model and the plan that fits it. */
export interface Corrected {
  readonly model: ModelProto;
  readonly plan: QuantizationPlan;
}

/** Δ[n] = α · Σ_k mean(x_k) · (W[k, n] − Ŵ[k, n]) */
function shift(product: PlannedProduct, real: Float32Array, mean: Float64Array): Float32Array {
  const { planned, sumAxis, alpha } = product;
  const [rows = 0, columns = 0] = planned.shape;
  const float = floatWeight(product);
  const sums = new Float64Array(sumAxis === 0 ? columns : rows);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const [k, n] = sumAxis === 0 ? [row, column] : [column, row];
      const lost = (float[at] as number) - (real[at] as number);
      sums[n] = (sums[n] as number) + alpha * (mean[k] as number) * lost;
    }
  }
  return Float32Array.from(sums);
}

/** The addition of a constant vector that alone reads a product, and which of its inputs the constant is. */
function constantAddition(graph: Graph, output: string, length: number) {
  const [use, ...others] = graph.consumers(output);
  if (use === undefined || others.length > 0 || graph.isOutput(output) || use.node.opType !== "Add") {
    return undefined;
  }
  const index = 1 - use.index;
  const bias = resolveWeight(graph, use.node.input[index] ?? "");
  const isVector = bias?.dtype === "float32" && bias.shape.length === 1 && bias.shape[0] === length;
  return isVector ? { node: use.node, index, bias } : undefined;
}

/**
 * Moves each product's bias by what quantizing its weight moves its mean: E[x](W − Ŵ), measured on the float model.
 *
 * Helps where weights are coarse (4 bits, per-tensor) and activations have a mean; costs nothing at run time where a
 * bias is added anyway, one Add elsewhere.
 *
 * @param plan of any mode; the result's plan is for the result's model
 * @throws CompressionError `no-calibration-data` Source: Nagel et al. 2019, "Data-Free Quantization Through Weight
 *   Equalization and Bias Correction", §4.2, with empirical means.
 * @example
 * const corrected = await correctBiases(model, await int4.plan(model), { calibrationData: batches });
 * const { model: quantized } = await int4.apply(corrected.model, corrected.plan);
 */
export async function correctBiases(
  model: ModelProto,
  plan: QuantizationPlan,
  options: CompensationOptions,
): Promise<Corrected> {
  const batches = requireBatches("correctBiases", options.calibrationData);
  const graph = openForCompression(model);
  const products = plannedProducts(graph, plan.tensors);
  const names = [...new Set(products.map(({ activation }) => activation))];
  const { threads, signal } = options;
  const statistics = await channelStatistics(model, names, batches, {
    ...(threads !== undefined && { threads }),
    ...(signal && { signal }),
  });
  const quantizer = memoized(await quantizerOf(model, plan, options));
  const renamed = new Map<string, string>();
  for (const product of products) {
    const mean = statistics.get(product.activation)?.mean;
    if (mean === undefined) continue;
    const { planned, output } = product;
    const { main } = graph;
    const weight = quantizer(planned, () => tensor("float32", planned.shape, floatWeight(product)));
    const correction = shift(product, realWeight(planned, weight), mean);
    const addition = constantAddition(main, output, correction.length);
    if (addition === undefined) {
      const raw = main.uniqueName(`${output}_raw`);
      main.setOutput(product.node, 0, raw);
      const name = main.addInitializer(
        `${output}_correction`,
        tensor("float32", [correction.length], correction),
      );
      main.addNode(
        { opType: "Add", name: "", inputs: [raw, name], outputs: [output] },
        { after: product.node },
      );
      renamed.set(output, raw);
      continue;
    }
    const { data } = readWeight(addition.bias) as Tensor<"float32">;
    const corrected = data.map((value, n) => value + (correction[n] as number));
    const name = main.addInitializer(
      `${addition.bias.name}_corrected`,
      tensor("float32", [corrected.length], corrected),
    );
    main.setInput(addition.node, addition.index, name);
  }
  graph.main.pruneUnused();
  return { model: graph.toModel(), plan: withOutputs(plan, renamed) };
}

function withOutputs(plan: QuantizationPlan, renamed: ReadonlyMap<string, string>): QuantizationPlan {
  const tensors = plan.tensors.map((planned) => ({
    ...planned,
    sites: planned.sites.map((site) => ({ ...site, output: renamed.get(site.output) ?? site.output })),
  }));
  return { ...plan, options: { ...plan.options, biasCorrection: true }, tensors };
}
