import { ownKind } from "../kinds/find-kind.js";
import { estimate as estimateModel } from "@nasty/compression";
import { precisionOfModel } from "../comparison/precision.js";
import { loadForCompression } from "../models/load-model.js";
import type { ModelLike } from "../models/model-like.js";
import { provenanceOf } from "../models/provenance.js";
import { estimateOperation } from "../operations/quantize.js";
import { type GivenBeside, perform } from "../perform.js";
import type { SettingsOf } from "../schema/option.js";
import { addedBytes } from "./added-bytes.js";

/** A size that a mode would give. */
export interface EstimatedSize {
  readonly bytes: number;
  /** The model's bytes over these. */
  readonly ratio: number;
}

/** Sizes that quantization would give, from the graph alone. */
export interface EstimateResult {
  readonly model: string;
  readonly parameters: number;
  readonly sizes: {
    /** The file as it is. */
    readonly float32: { readonly bytes: number };
    /** Dynamic int8. */
    readonly int8: EstimatedSize;
    readonly static: EstimatedSize;
    readonly int4: EstimatedSize;
    readonly weightOnly: EstimatedSize;
  };
  /** Of a process that tags. */
  readonly memory: {
    readonly float32: { readonly bytes: number };
    readonly int8: { readonly bytes: number };
  };
  readonly notes: readonly string[];
}

/**
 * What a tagger takes beside its session: tokenizer or vocabulary, caches, code. Measured as the difference between
 * `nasty benchmark`'s memory and the session's for two transformers (14 to 23 MB) and a BiLSTM (13 MB).
 */
const taggerMemory = { transformer: 17e6, neural: 13e6, sequence: 13e6 } as const;

/** A compressed file is unpacked into memory, which the runtime then copies from; one that is not, it maps. */
const unpackedCopies = 2;

/**
 * How small a model would become; nothing is quantized.
 *
 * @throws InputError, or an error of a package, for a model that cannot be read
 * @example
 * ```ts
 * const { sizes } = await estimate("pos.onnx");
 * console.log(sizes.int8.bytes, sizes.int4.ratio);
 * ```
 */
export function estimate(
  model: ModelLike,
  options: GivenBeside<typeof estimateOperation.options, "model"> = {},
): Promise<EstimateResult> {
  return perform(
    estimateOperation,
    { model, ...options },
    async (settings) => (await runEstimate(settings)).result,
  );
}

/** {@link estimate} from checked settings, with what most weights are stored as. */
export async function runEstimate({
  model: path,
}: Pick<SettingsOf<typeof estimateOperation.options>, "model">): Promise<{
  readonly result: EstimateResult;
  readonly precision: string;
}> {
  const loaded = await loadForCompression(path);
  const { model, tagger, modelBytes, notes, sha256 } = loaded;
  const carried = await ownKind(loaded).metadata();
  const estimated = estimateModel(model, {
    extraBytes: addedBytes(
      model.metadataProps.map(({ key }) => key),
      carried,
      await provenanceOf(await sha256()),
    ),
  });
  const beside = tagger === undefined ? 0 : taggerMemory[tagger.kind];
  const unpacked = /\.(?:gz|br)$/.test(path) ? unpackedCopies * estimated.sizes.float32.bytes : 0;
  const ratio = (bytes: number): EstimatedSize => ({ bytes, ratio: modelBytes / bytes });
  const { dynamic, static: ranged, int4, weightOnly } = estimated.sizes;
  const result: EstimateResult = {
    model: path,
    parameters: estimated.parameters,
    sizes: {
      float32: { bytes: modelBytes },
      int8: ratio(dynamic.bytes),
      static: ratio(ranged.bytes),
      int4: ratio(int4.bytes),
      weightOnly: ratio(weightOnly.bytes),
    },
    memory: {
      float32: { bytes: estimated.memory.float32.bytes + beside + unpacked },
      int8: { bytes: estimated.memory.dynamic.bytes + beside },
    },
    notes,
  };
  return { result, precision: precisionOfModel(model) };
}
