import { basename, dirname, join, resolve } from "node:path";
import type { PruningPlan } from "@nasty/compression";
import { uncompressedName } from "@nasty/formats/archive";

/** What the name of a file says about how it was made. */
export interface Treatment {
  readonly mode: "static" | "dynamic" | "int4" | "weight-only" | "mixed";
  readonly method: string;
}

/** `int8_percentile`, `int8_dynamic`, `int8_weights`, `int4`. */
export function suffixOf({ mode, method }: Treatment): string {
  switch (mode) {
    case "static":
      return `int8_${method}`;
    case "dynamic":
      return "int8_dynamic";
    case "weight-only":
      return "int8_weights";
    case "int4":
      return "int4";
    case "mixed":
      return "mixed";
    default:
      return mode satisfies never;
  }
}

/** The name beside the input that says how the file was made: `pos_v1.onnx` → `pos_v1_int8_percentile.onnx`. */
export function defaultOutput(model: string, treatment: Treatment): string {
  return nameBeside(model, suffixOf(treatment));
}

/** What of a model is removed: shares in 0..1, numbers of layers, a text whose words stay. */
export interface Pruned {
  readonly sparsity?: number | undefined;
  readonly heads?: number | undefined;
  readonly neurons?: number | undefined;
  readonly structured?: boolean | undefined;
  readonly layers?: unknown;
  readonly vocabulary?: unknown;
}

/**
 * `pruned30`, `pruned30_structured`, `pruned20-30_structured` (heads and neurons), `pruned_layers`,
 * `pruned_vocabulary`.
 */
export function prunedSuffix({ sparsity, heads, neurons, structured, layers, vocabulary }: Pruned): string {
  const isStructured = structured === true || heads !== undefined || neurons !== undefined;
  const shares = sparsity === undefined ? [heads, neurons] : [sparsity];
  const removed = shares
    .filter((share) => share !== undefined)
    .map((share) => Number((share * 100).toFixed(2)));
  const parts = [
    `pruned${removed.join("-")}`,
    ...(isStructured ? ["structured"] : []),
    ...(layers === undefined ? [] : ["layers"]),
    ...(vocabulary === undefined ? [] : ["vocabulary"]),
  ];
  return parts.join("_");
}

/** The same of a plan, by the options that it was made with. */
export function plannedSuffix({ options, layers, vocabulary }: PruningPlan): string {
  const { sparsity, structured } = options as Pick<Pruned, "sparsity"> & {
    readonly structured?: Pick<Pruned, "heads" | "neurons">;
  };
  const { heads, neurons } = structured ?? {};
  return prunedSuffix({
    // One share for both is what `sparsity` says; a share of nothing was not asked for.
    ...(heads === neurons
      ? { sparsity: sparsity ?? heads }
      : { heads: heads || undefined, neurons: neurons || undefined }),
    structured: structured !== undefined,
    layers: layers.length === 0 ? undefined : layers,
    vocabulary,
  });
}

/** A name beside a model file or directory: `pos.onnx.gz` and `pruned30` → `pos_pruned30.onnx`. */
export function nameBeside(model: string, suffix: string): string {
  const absolute = resolve(model);
  const stem = uncompressedName(basename(absolute))
    .replace(/\.onnx$/i, "")
    .replace(/_fp32$/, "");
  return join(dirname(absolute), `${stem}_${suffix}.onnx`);
}
