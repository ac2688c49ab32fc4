import type { AgreementFigures } from "../kinds/kind.js";
import { formatPercent } from "./format.js";

/** How alike two models' answers are, a line each. */
export function agreementLines({
  top1,
  cosineMean,
  cosineP01,
  recallAt10,
  spearman,
  outputs = [],
}: AgreementFigures): string[] {
  const lines: string[] = [];
  if (top1 !== undefined) lines.push(`same answer as the original: ${formatPercent(top1)}`);
  if (recallAt10 !== undefined)
    lines.push(`nearest neighbours kept (recall@10): ${formatPercent(recallAt10)}`);
  if (cosineMean !== undefined && cosineP01 !== undefined)
    lines.push(
      `cosine to the original's vectors: mean ${cosineMean.toFixed(4)}, 1st percentile ${cosineP01.toFixed(4)}`,
    );
  if (spearman !== undefined) lines.push(`Spearman's correlation with the original: ${spearman.toFixed(4)}`);
  for (const { name, cosine, cosineP01: low, top1: kept, maxError, meanError } of outputs) {
    const ofSamples = low === null ? "" : `, 1st percentile ${low.toFixed(4)}`;
    const ofRows = kept === null ? "" : `, top-1 kept ${formatPercent(kept)}`;
    lines.push(
      `${name}: cosine ${cosine.toFixed(4)}${ofSamples}${ofRows}, error at most ${maxError.toPrecision(3)}, ${meanError.toPrecision(3)} on average`,
    );
  }
  return lines;
}
