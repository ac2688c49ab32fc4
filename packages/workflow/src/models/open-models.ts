import { AsyncLocalStorage } from "node:async_hooks";
import type { LoadChoice, LoadedModel, OpenModel, OpenModelOptions } from "./model-views.js";

/** A model that a program has open: what was read of it need not be read again. */
export interface SharedModel {
  /** What was opened: a model file or a Hugging Face directory. */
  readonly path: string;
  /** What was read; undefined if the file has changed since. */
  loaded(choice: LoadChoice): Promise<LoadedModel | undefined>;
  /**
   * Its tagger, to be left open; undefined where it was opened otherwise (threads, what its labels are said to be), or
   * the file has changed.
   */
  opened(options: OpenModelOptions): Promise<OpenModel | undefined>;
}

/** Whether it is a model that is open, of this copy of the package or another. */
export function isSharedModel(value: unknown): value is SharedModel {
  return typeof value === "object" && value !== null && "loaded" in value && "opened" in value;
}

const current = new AsyncLocalStorage<readonly SharedModel[]>();

/** Runs an operation that takes these open models instead of reading their files. */
export function withOpenModels<T>(models: readonly SharedModel[], operation: () => Promise<T>): Promise<T> {
  const known = current.getStore() ?? [];
  return models.length === 0 ? operation() : current.run([...models, ...known], operation);
}

/** What the first model that is open under a path gives; undefined if none is, or none fits. */
export async function ofOpenModel<T>(
  path: string,
  give: (model: SharedModel) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const model of current.getStore() ?? []) {
    if (model.path !== path) continue;
    const given = await give(model);
    if (given !== undefined) return given;
  }
  return undefined;
}
