import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { TrainingError } from "../training-error.js";
import { staticActivation } from "./emit-activations.js";
import { chosenOptions } from "./options.js";
import { pairsOf, type QuantizationRecord } from "./record.js";
import { makeEmitter, openSites, prefix, rewriteSites } from "./rewrite.js";

/**
 * The float model with its weights and activations rounded in the graph: what training computed, without anything that
 * learns.
 *
 * Open it without optimization to run it in float32; optimized, the runtime makes integer kernels of it.
 *
 * @param record how the model was trained to be quantized
 * @throws TrainingError `quantization-record` for an activation without a range
 */
export function simulateQuantization(model: ModelProto, record: QuantizationRecord): ModelProto {
  const { bits, activationMode: mode, blockSize, weights } = record;
  const chosen = chosenOptions({
    bits,
    activations: mode,
    // Which weights were rounded is in the record.
    minimumElements: 0,
    pairs: pairsOf(record),
    symmetric: weights.every(({ symmetric }) => symmetric),
    ...(blockSize === undefined ? {} : { blockSize }),
  });
  const edited = ModelGraph.from(model);
  const trained = new Set(weights.map(({ name }) => name));
  const sites = openSites(edited, chosen).filter((site) =>
    (site.kind === "lstm" ? site.weights : [site.weight]).every(({ name }) => trained.has(name)),
  );
  const emitter = makeEmitter(edited);
  rewriteSites(edited, sites, {
    options: chosen,
    emitter,
    plan: {
      mode,
      switched: (_, __, { rounded }) => rounded,
      activation(one, x, name) {
        const range = record.activations[name];
        if (range === undefined) {
          throw new TrainingError(
            "quantization-record",
            `simulateQuantization: activation ${JSON.stringify(name)}: range: expected one in the record, got none of ${Object.keys(record.activations).length}`,
            { tensor: name },
          );
        }
        const scale = edited.main.addInitializer(`${prefix}scale`, {
          dtype: "float32",
          shape: [],
          data: Float32Array.of(range.scale),
        });
        const zeroPoint = edited.main.addInitializer(`${prefix}zero-point`, {
          dtype: "uint8",
          shape: [],
          data: Uint8Array.of(range.zeroPoint),
        });
        return staticActivation(one, x, { scale, zeroPoint });
      },
    },
  });
  return edited.toModel();
}
