import type { DriftCheck } from "../drift/drift-check.js";

/** How alike the outputs are; what was not run is said too. */
export function driftLine({ inputs, outputs }: DriftCheck, likeness = "the original's"): string {
  if (inputs === "none" || outputs.length === 0)
    return `  outputs not compared with ${likeness}: no float output for inputs that could be made`;
  const least = Math.min(...outputs.map(({ cosine }) => cosine));
  const on = inputs === "text" ? "sentences of the text" : "made inputs";
  return `  outputs like ${likeness}: cosine ${least.toFixed(4)} or more on ${on}`;
}
