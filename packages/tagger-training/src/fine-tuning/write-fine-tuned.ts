import { join } from "node:path";
import type { WrittenFile } from "@nasty/formats/archive/node";
import { modelFileName } from "@nasty/formats/hf";
import { writeHfDirectory } from "@nasty/formats/hf/node";
import { getMetadata, modelChunks } from "@nasty/formats/onnx";
import { safetensorsChunks } from "@nasty/formats/safetensors";
import { withTagger } from "@nasty/taggers";
import { labelledConfig } from "@nasty/taggers/encoders";
import { modelVariantOf, openTagger, type StagedModel } from "@nasty/taggers/node";
import type { FineTuned } from "./fine-tune.js";

export interface WriteFineTunedOptions {
  /** Looks at the written model before it takes its place; what it throws leaves the folder as it was. */
  readonly check?: (staged: StagedModel) => Promise<void>;
}

/**
 * Writes a fine-tuned tagger as a Hugging Face directory that transformers.js loads offline.
 *
 * `onnx/model.onnx`, or the name for what the weights are stored as (it also carries its tagger, so that it can be
 * moved alone), `model.safetensors` where the family's names are known, tokenizer files as they were. The directory is
 * written beside its place, opened, and only then takes its name; see `writeHfDirectory`.
 *
 * @param path the folder, made where it is missing
 * @returns size and SHA-256 of every file, by its path inside the folder
 * @throws FormatError `unwritable`, `missing` (no `pad_token`); what `check` throws
 * @example
 * ```ts
 * await writeFineTuned("models/pos", await fineTune(base, data, "pos_tagging"));
 * ```
 */
export async function writeFineTuned(
  path: string,
  tuned: FineTuned,
  { check }: WriteFineTunedOptions = {},
): Promise<Map<string, WrittenFile>> {
  const { model, settings, config, tokenizerJson, tokenizerConfig, tensors } = tuned;
  const history = getMetadata(model, "nasty.history");
  const metadata = { format: "pt", ...(history === undefined ? {} : { "nasty.history": history }) };
  const variant = modelVariantOf(model);
  return writeHfDirectory(
    path,
    {
      config: variant === "fp32" ? config : labelledConfig(config, settings, variant),
      tokenizerJson,
      tokenizerConfig,
      models: new Map([[variant, modelChunks(await withTagger(model, settings))]]),
      files:
        tensors === undefined
          ? new Map()
          : new Map([["model.safetensors", safetensorsChunks(tensors, metadata)]]),
    },
    {
      async check(staged) {
        await (await openTagger(staged, { variant })).close();
        await check?.({ directory: staged, modelPath: join(staged, "onnx", modelFileName(variant)) });
      },
    },
  );
}
