import { TfjsError, type TfjsErrorCode } from "../tfjs-error.js";
import type { LayerWriter } from "./layer-writer.js";
import type { Value } from "./value.js";
import { type DescribedLayer, type LayerOptions, optionsOf } from "./layer-options.js";
import type { Weights } from "./weights.js";

/** What the conversion of a layer works with. */
export interface LayerContext {
  readonly layer: DescribedLayer;
  readonly writer: LayerWriter;
  readonly weights: Weights;
  /** Under which the layer's weights are saved. */
  readonly scope: string;
  /** Axes of the input that the layer does not see: 1 for time inside of TimeDistributed. */
  readonly hiddenAxes: number;
  options(...known: readonly string[]): LayerOptions;
  /** Notes that positions of a row influence each other here, and whether a mask keeps padding out of it. */
  mixesTime(isMasked: boolean): void;
  error(code: TfjsErrorCode, what: string, expected: string, got: string): TfjsError;
}

/** Turns one call of a layer into nodes. */
export type LayerConverter = (context: LayerContext, inputs: readonly Value[]) => Value;

export function makeLayerContext(
  parts: Pick<LayerContext, "layer" | "writer" | "weights" | "mixesTime"> &
    Partial<Pick<LayerContext, "scope" | "hiddenAxes">>,
): LayerContext {
  const { layer } = parts;
  return {
    scope: layer.name,
    hiddenAxes: 0,
    ...parts,
    options: (...known) => optionsOf(layer, known),
    error: (code, what, expected, got) =>
      new TfjsError(
        code,
        `importLayersModel: layer ${JSON.stringify(layer.name)} (${layer.className}): ${what}: expected ${expected}, got ${got}`,
        { node: layer.name, operator: layer.className },
      ),
  };
}

/** The only input of a layer, float32 and of at least `ranks[0]` and at most `ranks[1]` dimensions. */
export function onlyInput(
  context: LayerContext,
  inputs: readonly Value[],
  [least, most]: readonly [number, number] = [2, Number.POSITIVE_INFINITY],
): Value {
  const [input, second] = inputs;
  if (input === undefined || second !== undefined) {
    throw context.error("unsupported-option", "inputs", "1", String(inputs.length));
  }
  if (input.dtype !== "float32") throw context.error("invalid-model", "input: dtype", "float32", input.dtype);
  const rank = input.shape.length;
  if (rank < least || rank > most) {
    const expected =
      most === Number.POSITIVE_INFINITY
        ? `${least} or more`
        : least === most
          ? `${least}`
          : `${least} to ${most}`;
    throw context.error("invalid-model", "input: dimensions", expected, shapeText(input));
  }
  return input;
}

/** Size of the last axis, which weights depend on. */
export function channelsOf(context: LayerContext, input: Value): number {
  const channels = input.shape.at(-1);
  if (typeof channels === "number") return channels;
  throw context.error("invalid-model", "input: last dimension", "a size", shapeText(input));
}

/** Refuses an axis that is not the last one: the others may be laid out differently, or are words. */
export function checkLastAxis(context: LayerContext, input: Value, key: string, given: number): void {
  const rank = input.shape.length - context.hiddenAxes;
  if (given === -1 || given === rank - 1) return;
  throw context.error("unsupported-option", key, `the last axis (-1 or ${rank - 1})`, String(given));
}

export const shapeText = ({ shape }: Value): string => `[${shape.map((size) => size ?? "?").join(", ")}]`;
