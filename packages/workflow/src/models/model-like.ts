import type { Model } from "./model.js";

/**
 * What an operation may be given for a model: one that is open, what another operation wrote, or a path. A result that
 * was refused (`passed` is false) has no model: it is wrong usage.
 */
export type ModelLike = Model | { readonly path: string | null } | string;

/** The path of a model that an operation was given; undefined for what is none. */
export function pathOfModel(given: unknown): string | undefined {
  if (typeof given === "string") return given;
  if (typeof given !== "object" || given === null || !("path" in given)) return undefined;
  return typeof given.path === "string" ? given.path : undefined;
}
