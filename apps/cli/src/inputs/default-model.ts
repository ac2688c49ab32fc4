import { sampleConllu } from "@nasty/model-en";
import { fileURLToPath } from "node:url";
import { UsageError } from "../exit-codes.js";
import { type OpenModel, openModel } from "./model.js";

/** Path of the embedded English sample (CoNLL-U with UPOS and entities). */
export function sampleTextPath(): string {
  return fileURLToPath(sampleConllu);
}

/** The model that `--model` names, or the embedded default. */
export async function openDefaultOr(
  path: string | undefined,
  options: { readonly threads: number },
): Promise<OpenModel> {
  if (path === undefined) {
    throw new UsageError(
      "--model: expected a model file or directory, got none; this version has no embedded default model yet",
    );
  }
  return openModel(path, options);
}
