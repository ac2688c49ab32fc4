export { buildEncoder, type BuildEncoderOptions, hiddenOutput } from "./build-encoder.js";
export { checkpointTensors } from "./checkpoint-tensors.js";
export { type EncoderConfig, parseEncoderConfig } from "./encoder-config.js";
export { type ExpectedTensor, expectedTensors } from "./expected-tensors.js";
export { classOf, familyOf, type SequenceHeadNames, sequenceHeadOf } from "./families.js";
export { encoderWriter } from "./encoder-writer.js";
export {
  findSequenceHead,
  type SequenceHeadPlan,
  type SequenceHeadWeights,
  writeSequenceHead,
} from "./sequence-head.js";
export { familyTensors } from "./family-tensors.js";
export { labelledConfig } from "./labelled-config.js";
export { randomCheckpoint, type RandomCheckpointOptions } from "./random-checkpoint.js";
export { readEncoderCheckpoint, withoutWrapper } from "./read-checkpoint.js";
export { textModelConfig } from "./text-model-config.js";
