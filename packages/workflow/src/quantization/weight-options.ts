import type { QuantizableOp, StaticOptions } from "@nasty/compression";
import type { QuantizeSettings } from "./settings.js";

/** What every mode asks of weights. */
export function commonOptions({ asymmetric, skipLayers, pairs, opTypes }: QuantizeSettings) {
  return {
    symmetric: asymmetric !== true,
    skipLayers,
    ...(pairs !== undefined && { pairs }),
    ...(opTypes === undefined
      ? {}
      : { opTypes: opTypes.split(",").map((op) => op.trim()) as QuantizableOp[] }),
  };
}

/** What int8 modes ask of weights. */
export function weightOptions(settings: QuantizeSettings) {
  const { perChannel, reduceRange } = settings;
  return { ...commonOptions(settings), perChannel, reduceRange: reduceRange === true };
}

/** What static mode asks of weights and activations, which decides what activations it measures. */
export function staticOptions(settings: QuantizeSettings): StaticOptions {
  return { ...weightOptions(settings), activationSymmetric: settings.activations === "symmetric" };
}
