export {
  compressOperation,
  exportOperation,
  importOperation,
  inspectOperation,
  pipelineOperation,
} from "./files.js";
export { pruneOperation } from "./prune.js";
export { compareOperation, estimateOperation, quantizeOperation } from "./quantize.js";
export { sweepOperation } from "./sweep.js";
export {
  benchmarkOperation,
  evaluateOperation,
  queueCorpusOperation,
  scoreOperation,
  tagCommandOperation,
  tagCorpusOperation,
  tagOperation,
  workOperation,
} from "./tagging.js";
export { verifyOperation } from "./verify.js";
export { distillOperation, fineTuneOperation, trainOperation } from "./training.js";
export { longName, namedOptions, type NamedOption, type Operation } from "../schema/operation.js";
export type { FlagOption, Group, Option, Options, SettingsOf, ValueOption } from "../schema/option.js";
export { checkValue, readValue } from "../schema/values.js";
export { inputFormat, labelOptions, modelHelp, running, testHelp } from "./shared-options.js";
