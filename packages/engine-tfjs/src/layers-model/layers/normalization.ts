import { following, type Value } from "../value.js";
import { channelsOf, checkLastAxis, type LayerContext, onlyInput } from "../layer-context.js";
import type { LayerOptions } from "../layer-options.js";

const ones = (count: number) => (): Float32Array => new Float32Array(count).fill(1);

/** Normalization over the last axis. */
export function layerNormalization(context: LayerContext, inputs: readonly Value[]): Value {
  const options = context.options("axis", "epsilon", "center", "scale");
  const { writer, weights, scope, layer } = context;
  const input = onlyInput(context, inputs);
  checkLastAxis(context, input, "axis", axisOf(options));
  const channels = channelsOf(context, input);
  const scale = options.flag("scale", true)
    ? writer.weight(`${scope}/gamma`, [channels], () => weights.take(scope, "gamma", [channels]))
    : writer.weight(`ones/${channels}`, [channels], ones(channels));
  const bias = options.flag("center", true)
    ? [writer.weight(`${scope}/beta`, [channels], () => weights.take(scope, "beta", [channels]))]
    : [];
  const attributes = {
    axis: -1,
    epsilon: { kind: "float", value: options.number("epsilon", 1e-3) },
  } as const;
  return following(
    input,
    writer.op(layer.name, "LayerNormalization", [input.name, scale, ...bias], attributes),
  );
}

/**
 * Batch normalization as it is after training, γ·(x − mean)/√(variance + ε) + β over the last axis, as one product and
 * one sum.
 */
export function batchNormalization(context: LayerContext, inputs: readonly Value[]): Value {
  const options = context.options("axis", "epsilon", "center", "scale", "momentum");
  const { writer, weights, scope, layer } = context;
  const input = onlyInput(context, inputs);
  checkLastAxis(context, input, "axis", axisOf(options));
  const shape = [channelsOf(context, input)];
  const epsilon = options.number("epsilon", 1e-3);
  const take = (variable: string): Float32Array => weights.take(scope, variable, shape);
  const gamma = options.flag("scale", true) ? take("gamma") : ones(shape[0] as number)();
  const beta = options.flag("center", true) ? take("beta") : new Float32Array(shape[0] as number);
  const mean = take("moving_mean");
  const variance = take("moving_variance");
  const factor = gamma.map((value, i) => value / Math.sqrt((variance[i] as number) + epsilon));
  const offset = beta.map((value, i) => value - (mean[i] as number) * (factor[i] as number));
  const product = writer.op(layer.name, "Mul", [
    input.name,
    writer.weight(`${scope}/scale`, shape, () => factor),
  ]);
  return following(
    input,
    writer.op(layer.name, "Add", [product, writer.weight(`${scope}/offset`, shape, () => offset)]),
  );
}

const axisOf = (options: LayerOptions): number => options.single("axis", -1);
