import { type DriftJob, leastCosine } from "../drift/drift-check.js";
import type { DriftSample } from "../drift/drift-sample.js";
import { mappedOriginal } from "../drift/mapped-original.js";
import type { LoadedModel } from "../inputs/load-model.js";
import { modeOf, type QuantizeSettings } from "./settings.js";

/** How a quantized file is compared with its original, which is read again from its file: it need not be kept. */
export async function quantizationDrift(
  loaded: LoadedModel,
  sample: DriftSample,
  settings: QuantizeSettings,
): Promise<DriftJob> {
  const { path, modelPath } = loaded;
  const bits = ["int4", "mixed"].includes(modeOf(settings)) ? "int4" : "int8";
  const { minCosine = leastCosine[bits], threads } = settings;
  return {
    operation: "quantize",
    path,
    original: modelPath,
    mapped: await mappedOriginal(loaded),
    sample,
    minCosine,
    threads,
    advice: (departure) =>
      `${departure === undefined ? "" : `leave it in float with --skip-layers '${departure.node}', `}try another mode, or lower --min-cosine if you mean it`,
  };
}
