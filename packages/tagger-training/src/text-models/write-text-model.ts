import { join } from "node:path";
import type { WrittenFile } from "@nasty/formats/archive/node";
import { modelFileName } from "@nasty/formats/hf";
import { writeHfDirectory } from "@nasty/formats/hf/node";
import { getMetadata, modelChunks } from "@nasty/formats/onnx";
import { safetensorsChunks } from "@nasty/formats/safetensors";
import { textModelConfig } from "@nasty/taggers/encoders";
import { modelVariantOf, type StagedModel } from "@nasty/taggers/node";
import { withTextSettings } from "@nasty/taggers/texts";
import type { TrainedTextModel } from "./trained-text-model.js";

export interface WriteTextModelOptions {
  /** Looks at the written model before it takes its place; what it throws leaves the folder as it was. */
  readonly check?: (staged: StagedModel) => Promise<void>;
}

/**
 * Writes a trained model of whole texts as a Hugging Face directory that transformers and transformers.js load.
 *
 * `onnx/model.onnx`, or the name for what the weights are stored as (it also carries its labels and tokenizer, so that
 * it can be moved alone); `model.safetensors` where the family's names are known; tokenizer files as they were. An
 * encoder also has the files by which sentence-transformers averages its vectors: `modules.json` and
 * `1_Pooling/config.json`. The directory is written beside its place, checked, and only then takes its name; see
 * `writeHfDirectory`.
 *
 * @param path the folder, made where it is missing
 * @returns size and SHA-256 of every file, by its path inside the folder
 * @throws FormatError `unwritable`, `missing` (no `pad_token`); what `check` throws
 * @example
 * ```ts
 * await writeTextModel("models/genre", await fineTuneClassifier(base, data));
 * ```
 */
export async function writeTextModel(
  path: string,
  tuned: TrainedTextModel,
  { check }: WriteTextModelOptions = {},
): Promise<Map<string, WrittenFile>> {
  const { model, settings, width, config, tokenizerJson, tokenizerConfig, tensors } = tuned;
  const history = getMetadata(model, "nasty.history");
  const metadata = { format: "pt", ...(history === undefined ? {} : { "nasty.history": history }) };
  const variant = modelVariantOf(model);
  const labels = settings.kind === "sequence-classification" ? settings.labels : undefined;
  const files = new Map<string, Iterable<Uint8Array>>();
  if (tensors !== undefined) files.set("model.safetensors", safetensorsChunks(tensors, metadata));
  if (labels === undefined)
    for (const [name, json] of poolingFiles(width, settings.maxPositions)) files.set(name, json);
  return writeHfDirectory(
    path,
    {
      config: variant === "fp32" ? config : textModelConfig(config, labels, variant),
      tokenizerJson,
      tokenizerConfig,
      models: new Map([[variant, modelChunks(await withTextSettings(model, settings))]]),
      files,
    },
    {
      needsLabels: labels !== undefined,
      async check(staged) {
        await check?.({ directory: staged, modelPath: join(staged, "onnx", modelFileName(variant)) });
      },
    },
  );
}

/** How sentence-transformers makes one vector of a text: the mean over its tokens. */
function poolingFiles(width: number, maxPositions: number | undefined) {
  const bytes = (json: object): Uint8Array[] => [
    new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`),
  ];
  return [
    [
      "modules.json",
      bytes([
        { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" },
        { idx: 1, name: "1", path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
      ]),
    ],
    [
      "1_Pooling/config.json",
      bytes({
        word_embedding_dimension: width,
        pooling_mode_cls_token: false,
        pooling_mode_mean_tokens: true,
        pooling_mode_max_tokens: false,
        pooling_mode_mean_sqrt_len_tokens: false,
      }),
    ],
    ["sentence_bert_config.json", bytes({ max_seq_length: maxPositions ?? null, do_lower_case: false })],
  ] as const;
}
