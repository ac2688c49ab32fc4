export { noAudit } from "./audit-text.js";
export { batchMatesText, comparisonText } from "./comparison-text.js";
export { driftLine } from "./drift-text.js";
export {
  formatBytes,
  formatCount,
  formatDuration,
  formatMs,
  formatPercent,
  formatRatio,
  table,
} from "./format.js";
export { toJson } from "./json.js";
export { labellingLines } from "./labelling-text.js";
export { recipePlanText, recipeText } from "./recipe-text.js";
export { resultDocument } from "./result-document.js";
export { labelTable, metricName } from "./score-table.js";
