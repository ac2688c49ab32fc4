import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type WrittenFile, writeFileAtomic } from "@nasty/formats/archive/node";
import { writeHfDirectory } from "@nasty/formats/hf/node";
import { modelChunks } from "@nasty/formats/onnx";
import { safetensorsChunks } from "@nasty/formats/safetensors";
import { withTagger } from "../tagger-settings.js";
import type { FineTuned } from "./fine-tune.js";

/**
 * Writes a fine-tuned tagger as a Hugging Face directory that transformers.js loads offline.
 *
 * `onnx/model.onnx` (it also carries its tagger, so that it can be moved alone), `model.safetensors` where the family's names are
 * known, tokenizer files as they were, and `config.json` last; each file is replaced as a whole or not at all.
 *
 * @param path the folder, made where it is missing
 * @returns size and SHA-256 of every file, by its path inside the folder
 * @throws FormatError `unwritable`, `missing` (no `pad_token`)
 * @example
 * ```ts
 * await writeFineTuned("models/pos", await fineTune(base, data, "pos_tagging"));
 * ```
 */
export async function writeFineTuned(path: string, tuned: FineTuned): Promise<Map<string, WrittenFile>> {
  const { model, settings, config, tokenizerJson, tokenizerConfig, tensors } = tuned;
  await mkdir(path, { recursive: true });
  const written = new Map<string, WrittenFile>();
  if (tensors !== undefined) {
    const file = "model.safetensors";
    written.set(file, await writeFileAtomic(join(path, file), safetensorsChunks(tensors, { format: "pt" })));
  }
  const models = new Map([["fp32" as const, modelChunks(await withTagger(model, settings))]]);
  const rest = await writeHfDirectory(path, { config, tokenizerJson, tokenizerConfig, models });
  for (const [name, file] of rest) written.set(name, file);
  return written;
}
