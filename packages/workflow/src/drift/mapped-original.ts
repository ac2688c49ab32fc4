import { realpath } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { weightsInFile } from "@nasty/compression";
import type { LoadedModel } from "../models/load-model.js";

/** The graph of a model file without its weights, and the folder of the file that they lie in. */
export interface MappedModel {
  readonly graph: Uint8Array;
  readonly folder: string;
}

/**
 * A loaded model as a runtime opens it fastest; undefined for a file that cannot be mapped. Its small weights are
 * copied, so it must be as it was read.
 */
export async function mappedOriginal({
  model,
  modelPath,
  modelBytes,
}: LoadedModel): Promise<MappedModel | undefined> {
  // Weights behind a symbolic link would lie outside of the folder.
  const path = await realpath(modelPath);
  const graph = weightsInFile(model, { name: basename(path), bytes: modelBytes });
  return graph && { graph, folder: dirname(path) };
}
