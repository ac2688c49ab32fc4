import { GraphError } from "@nasty/graph";
import { matchLayers, type NamedLayer } from "@nasty/graph/patterns";
import { CompressionError } from "../compression-error.js";

/**
 * Which layers `skipLayers` leaves out, as `matchLayers` of @nasty/graph finds them; a pattern that names none is an
 * error here.
 *
 * @param layers every layer that could be skipped
 * @param patterns what the user wrote
 * @param operation name of the step, for messages
 * @returns for each layer the pattern that matched, or undefined; in the order of `layers`
 * @throws CompressionError `no-such-layer` for a pattern without a match, naming the nearest layers; `invalid-option`
 *   for one that cannot be read
 * @example skippedBy([{ names: ["classifier"] }], ["class*"], "quantize") // ["class*"]
 */
export function skippedBy(
  layers: readonly NamedLayer[],
  patterns: readonly string[],
  operation: string,
): (string | undefined)[] {
  try {
    const { matched, missing } = matchLayers(layers, patterns);
    if (missing === undefined) return matched.map((pattern) => pattern as string | undefined);
    const { pattern, near } = missing;
    const hint = near.length === 0 ? "the model has no layer to skip" : `nearest: ${near.join(", ")}`;
    throw new CompressionError(
      "no-such-layer",
      `${operation}: skipLayers: ${String(pattern)}: expected at least one matching layer, got none of ${layers.length} (${hint})`,
    );
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const message = `${operation}: skipLayers: ${error.message.replace(/^pattern /, "")}`;
    throw new CompressionError("invalid-option", message, { cause: error });
  }
}
