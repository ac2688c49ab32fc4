import { clippedRanges, fullRange, hasHalfScales, quantizeBlockRows, type Tensor } from "@nasty/core";
import { roundToNearest, type WeightQuantizer } from "../rewrite/weight-quantizer.js";
import { blockLayout, channelRows } from "./block-layout.js";
import { checkFinite } from "./check-finite.js";

/**
 * Rounds each weight by itself: block-wise ones over the full range or the part of it that loses least, others to
 * nearest.
 *
 * @throws CompressionError `not-finite` naming the tensor
 */
export function blockRounding(rounding: "nearest" | "mse"): WeightQuantizer {
  return (planned, read, fit, room) => {
    const layout = blockLayout(planned);
    if (layout === undefined) {
      return roundToNearest(planned, read, fit, room);
    }
    const weight = read() as Tensor<"float32">;
    checkFinite(planned.name, weight.data);
    const shrink = rounding === "mse" ? clippedRanges : fullRange;
    return quantizeBlockRows(channelRows(weight, layout), {
      ...layout,
      symmetric: planned.symmetric,
      halfScales: hasHalfScales(layout.channels, layout.blocks),
      shrink,
    });
  };
}
