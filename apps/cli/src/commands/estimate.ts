import { estimate } from "@nasty/compression";
import { taggerMetadata } from "@nasty/taggers";
import { precisionOfModel } from "@nasty/workflow/comparison/precision";
import { loadForCompression } from "@nasty/workflow/models/load-model";
import { provenanceOf } from "@nasty/workflow/models/provenance";
import { addedBytes } from "@nasty/workflow/quantization/added-bytes";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes, formatCount, formatRatio } from "@nasty/workflow/report/format";

interface EstimateOptions extends CommonOptions {
  readonly model: string;
}

/**
 * What a tagger takes beside its session: tokenizer or vocabulary, caches, code. Measured as the difference between `nasty benchmark`'s
 * memory and the session's for two transformers (14 to 23 MB) and a BiLSTM (13 MB).
 */
const taggerMemory = { transformer: 17e6, neural: 13e6, sequence: 13e6 } as const;

/** A compressed file is unpacked into memory, which the runtime then copies from; one that is not, it maps. */
const unpackedCopies = 2;

/** `nasty quantize estimate`: sizes that quantization would give, without doing it. */
export async function estimateSizes({ model: path }: EstimateOptions, terminal: Terminal): Promise<void> {
  const { model, tagger, modelBytes, notes, sha256 } = await loadForCompression(path);
  const carried = tagger === undefined ? {} : await taggerMetadata(tagger);
  const estimated = estimate(model, {
    extraBytes: addedBytes(
      model.metadataProps.map(({ key }) => key),
      carried,
      await provenanceOf(await sha256()),
    ),
  });
  const beside = tagger === undefined ? 0 : taggerMemory[tagger.kind];
  const unpacked = /\.(?:gz|br)$/.test(path) ? unpackedCopies * estimated.sizes.float32.bytes : 0;
  const float32 = { bytes: modelBytes };
  const ratio = (bytes: number) => ({ bytes, ratio: modelBytes / bytes });
  const { dynamic, static: ranged, int4, weightOnly } = estimated.sizes;
  const result = {
    model: path,
    parameters: estimated.parameters,
    sizes: {
      float32,
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
  const precision = precisionOfModel(model);
  terminal.result(result, () => {
    const { memory, sizes } = result;
    const saved = 1 - memory.int8.bytes / memory.float32.bytes;
    return [
      `Model: ${path}`,
      `Parameters: ${formatCount(result.parameters)}`,
      "",
      "Estimated sizes:",
      `  ${precision} (current): ${formatBytes(sizes.float32.bytes)}`,
      `  INT8: ${formatBytes(sizes.int8.bytes)} (${formatRatio(sizes.int8.ratio)} smaller)`,
      `  INT4: ${formatBytes(sizes.int4.bytes)} (${formatRatio(sizes.int4.ratio)} smaller; a size feature, not a speed feature)`,
      "",
      "Memory usage:",
      `  Float32: ~${formatBytes(memory.float32.bytes)} (with activations)`,
      `  INT8: ~${formatBytes(memory.int8.bytes)} (${(saved * 100).toFixed(0)}% reduction)`,
      "",
      "Other modes:",
      `  static INT8: ${formatBytes(sizes.static.bytes)} (${formatRatio(sizes.static.ratio)} smaller)`,
      `  8-bit weights only: ${formatBytes(sizes.weightOnly.bytes)} (${formatRatio(sizes.weightOnly.ratio)} smaller)`,
      "",
      "MB = 1,000,000 bytes.",
    ].join("\n");
  });
}
