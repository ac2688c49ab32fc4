import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FormatError } from "@nasty/formats/hf";
import { isHfDirectory, openHfDirectory, readModulesOf } from "@nasty/formats/hf/node";
import { parseJson } from "@nasty/formats/json";
import type { ModelProto } from "@nasty/formats/onnx";
import { inputsOf } from "../model-inputs.js";
import { TaggerError } from "../tagger-error.js";
import { takesTexts } from "../transformer/feeds.js";
import { modelKindOf } from "./model-kind.js";
import { readTextSettings } from "./text-metadata.js";
import { type AnyTextSettings, textSettingsFromHf } from "./text-settings.js";

/** What was found for the texts of a model. */
export interface FoundText {
  readonly settings: AnyTextSettings;
  /** What was made good or is not applied, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * What a model of texts that is no tagger needs beside its graph: carried in its file, or in the directory that the
 * file is the model of, or in that of `config.json` beside it or one folder above.
 *
 * @param path what the user named: a Hugging Face directory or a model file
 * @param model the model that was read of it
 * @returns undefined for a tagger, for a model without a tokenizer, and for one that takes more than texts (a decoder)
 * @throws TaggerError, FormatError for files that are there and damaged
 */
export async function findText(path: string, model: ModelProto): Promise<FoundText | undefined> {
  const carried = await readTextSettings(model);
  if (carried !== undefined) return { settings: carried, notes: [] };
  const folders = (await isHfDirectory(path)) ? [path] : [dirname(path), dirname(dirname(path))];
  for (const folder of folders) {
    const config = await configOf(folder);
    if (config === undefined) continue;
    if (!takesTexts(inputsOf(model))) return undefined;
    const kind = modelKindOf(config, model) ?? (hasLabels(config) ? undefined : "graph");
    return kind === undefined || kind === "token-classification" ? undefined : settingsIn(folder, kind);
  }
  return undefined;
}

async function settingsIn(folder: string, kind: AnyTextSettings["kind"]): Promise<FoundText | undefined> {
  try {
    const needsLabels = kind === "sequence-classification";
    const directory = await openHfDirectory(folder, { needsLabels });
    const modules = await readModulesOf(folder);
    return {
      settings: textSettingsFromHf(kind, { ...directory, modules }, folder),
      notes: [...directory.notes, ...(modules?.notes ?? [])],
    };
  } catch (error) {
    // Without a tokenizer it is a graph like any other, and where nobody asked for texts with one that is not known.
    if (error instanceof FormatError && error.code === "not-found") return undefined;
    if (kind === "graph" && (error instanceof FormatError || error instanceof TaggerError)) return undefined;
    throw error;
  }
}

/** Labels of words are what is left for a model whose kind nothing else says. */
const hasLabels = (config: Readonly<Record<string, unknown>>): boolean =>
  ["id2label", "label2id", "num_labels"].some((key) => config[key] != null);

/** `config.json` of a folder; undefined where there is none that can be read. */
async function configOf(folder: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value = parseJson(await readFile(join(folder, "config.json"), "utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
