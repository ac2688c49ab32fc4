export {
  defaultRecipe,
  type Recipe,
  type TrainedTagger,
  trainTagger,
  type TrainTaggerOptions,
} from "./neural/training/train-tagger.js";
export {
  nerSentences,
  type NerSentenceOptions,
  posSentences,
  type TrainingSentence,
  wnutTypes,
} from "./neural/training/training-sentence.js";
export type { FeatureDropout } from "./neural/training/word-dropout.js";
export type { BaseModel } from "./fine-tuning/base-model.js";
export {
  fineTune,
  type FineTuneData,
  type FineTuned,
  type FineTuneOptions,
  type FineTuneTask,
} from "./fine-tuning/fine-tune.js";
export type { ClassifierTrainingOptions } from "./fine-tuning/train-classifier.js";
export type { Freeze } from "./fine-tuning/weight-groups.js";
export { writeFineTuned } from "./fine-tuning/write-fine-tuned.js";
export { distill, type Distilled, type DistillOptions } from "./distillation/distill.js";
export { openTeacher, type TargetOptions, type Teacher, teacherTargets } from "./distillation/teacher.js";
export { defaultTransformerSize, type TransformerSize } from "./subwords/random-encoder.js";
export { trainVocabulary, type VocabularyOptions } from "./subwords/train-vocabulary.js";
export {
  defaultTransformerRecipe,
  type TrainedTransformer,
  trainTransformer,
  type TrainTransformerOptions,
  type TransformerRecipe,
} from "./subwords/train-transformer.js";
