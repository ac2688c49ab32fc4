import { type DriftJob, leastCosine } from "../drift/drift-check.js";
import { modeOf, type QuantizeSettings } from "./settings.js";

/**
 * How a quantized file is compared with its original, which is read again from its file: it need not be kept.
 *
 * @param path the model as the user named it
 */
export function quantizationDrift(
  path: string,
  inputs: Pick<DriftJob, "original" | "mapped" | "sample">,
  settings: QuantizeSettings,
): DriftJob {
  const bits = ["int4", "mixed"].includes(modeOf(settings)) ? "int4" : "int8";
  const { minCosine = leastCosine[bits], threads } = settings;
  return {
    operation: "quantize",
    path,
    ...inputs,
    minCosine,
    threads,
    advice: (departure) =>
      `${departure === undefined ? "" : `leave it in float with --skip-layers '${departure.node}', `}try another mode, or lower --min-cosine if the difference is acceptable`,
  };
}
