import { type Graph, inferShapes, type ModelGraph, type ValueTypes } from "@nasty/graph";
import type { GradientWriter } from "../gradient/gradient-writer.js";
import { type Emitter, stopGradient } from "./emit-weights.js";

/** Levels above 0 of uint8: the range of its steps. */
const levels = 255;

/** Names of scale (float32) and zero point (uint8), scalars, that an activation is rounded with. */
export interface StaticScale {
  readonly scale: string;
  readonly zeroPoint: string;
}

/** Rounds to uint8 with a given scale and back; no gradient passes where x saturates. */
export function staticActivation({ writer }: Emitter, x: string, { scale, zeroPoint }: StaticScale): string {
  const q = writer.op("QuantizeLinear", [x, scale, zeroPoint]);
  return writer.op("DequantizeLinear", [q, scale, zeroPoint]);
}

/**
 * The same with a step size that is trained: the gradient of x̂ = round(clip(x / s))·s in s is round(x/s) − x/s inside
 * the range and the bound outside, times 1/√(n·255).
 *
 * Source: S. Esser et al., "Learned Step Size Quantization" (2020), equations 2 and 3 and section 2.2; the zero point
 * stays.
 *
 * @param features n, elements of x a position
 */
export function learnedActivation(
  emitter: Emitter,
  x: string,
  { scale, zeroPoint, features }: StaticScale & { readonly features: number },
): string {
  const { writer } = emitter;
  const { op, scalar } = writer;
  const damped = op("Mul", [scale, scalar(1 / Math.sqrt(features * levels))]);
  // Its value is the step size to the bit, its gradient the damped one's.
  const step = op("Add", [stopGradient(emitter, scale), op("Sub", [damped, stopGradient(emitter, damped)])]);
  const one = scalar(1);
  const q = op("QuantizeLinear", [op("Div", [x, step]), one, zeroPoint]);
  return op("Mul", [op("DequantizeLinear", [q, one, zeroPoint]), step]);
}

/** Rounds to uint8 with the range of the whole tensor, as DynamicQuantizeLinear does. */
export function dynamicActivation({ writer, unclipped }: Emitter, x: string): string {
  const { op, scalar } = writer;
  const low = op("Min", [op("ReduceMin", [x], { keepdims: 0 }), scalar(0)]);
  const high = op("Max", [op("ReduceMax", [x], { keepdims: 0 }), scalar(0)]);
  const real = op("Div", [op("Sub", [high, low]), scalar(levels)]);
  const scale = op("Where", [op("Equal", [real, scalar(0)]), scalar(1), real]);
  const place = op("Clip", [op("Div", [op("Neg", [low]), scale]), scalar(0), scalar(levels)]);
  const zeroPoint = op("Cast", [op("Round", [place])], { to: 2 });
  const q = unclipped.op("QuantizeLinear", [x, scale, zeroPoint]);
  return op("DequantizeLinear", [q, scale, zeroPoint]);
}

/** Which positions of an activation are padding, if the graph can tell. */
export interface PaddingMask {
  /** The activation with zeros, which every range contains, where there is padding. */
  hide(x: string): string;
}

const maskInputs = ["attention_mask", "mask"];

/** The mask that is among the model's inputs: `attention_mask` or `mask`, [batch, length], not 0 at real tokens. */
export function paddingMask(model: ModelGraph, writer: GradientWriter): PaddingMask {
  const graph = model.main;
  const types = inferShapes(model);
  const name = maskInputs.find(
    (input) => graph.inputs.some((one) => one.name === input) && rankOf(types, graph, input) === 2,
  );
  if (name === undefined) return { hide: (x) => x };
  let real: string | undefined;
  const dims = types.typeOf(graph, name)?.shape ?? [];
  return {
    hide(x) {
      const shape = types.typeOf(graph, x)?.shape;
      if (!(shape?.length === 3 && agrees(shape[0], dims[0]) && agrees(shape[1], dims[1]))) return x;
      real ??= writer.op("Unsqueeze", [
        writer.op("Not", [writer.op("Equal", [writer.op("Cast", [name], { to: 1 }), writer.scalar(0)])]),
        writer.ints([2]),
      ]);
      return writer.op("Where", [real, x, writer.scalar(0)]);
    },
  };
}

const rankOf = (types: ValueTypes, graph: Graph, name: string): number | undefined =>
  types.typeOf(graph, name)?.shape?.length;

/** Two dimensions that may be the same: not two different numbers or symbols. */
function agrees(a: number | string | undefined, b: number | string | undefined): boolean {
  return a === undefined || b === undefined || a === b;
}
