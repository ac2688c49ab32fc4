export {
  type Architecture,
  type ArchitectureName,
  type ArchitecturePreset,
  architectures,
  type BilstmArchitecture,
  type CharacterSettings,
  type CnnArchitecture,
  type EmbeddingSettings,
} from "./neural/architecture.js";
export {
  countWords,
  type FeatureOptions,
  featureSettings,
  type VocabularyCounts,
} from "./neural/features/count-features.js";
export { buildNeuralModel, type NeuralModelOptions } from "./neural/graph/build-neural-model.js";
export {
  encodeVectors,
  type EncodedVectors,
  type EncodeVectorsOptions,
} from "./word-codes/encode-vectors.js";
export { parseVectors, type ParseVectorsOptions, type WordVectors } from "./word-codes/word-vectors.js";
export type { Pretraining, PretrainingReport } from "./neural/pretraining/pretrain.js";
export { defaultNoise, type Noise } from "./noise/noise.js";
export { disturb, type DisturbedSentence } from "./noise/disturb.js";
export { defaultRecipe, type Recipe } from "./neural/training/recipe.js";
export { type TrainedTagger, trainTagger } from "./neural/training/train-tagger.js";
export type { TrainTaggerOptions } from "./neural/training/train-tagger-options.js";
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
export { type WriteFineTunedOptions, writeFineTuned } from "./fine-tuning/write-fine-tuned.js";
export type { ClassScores } from "./text-models/class-scores.js";
export {
  type ClassifierData,
  fineTuneClassifier,
  type FineTuneClassifierOptions,
  type FineTunedClassifier,
} from "./text-models/fine-tune-classifier.js";
export {
  type EmbedderData,
  fineTuneEmbedder,
  type FineTunedEmbedder,
  type TextVector,
  type TextVectors,
} from "./text-models/fine-tune-embedder.js";
export type { LabelledText, LabelledTexts } from "./text-models/labelled-text.js";
export { randomTextBase, type RandomTextBaseOptions } from "./text-models/random-text-base.js";
export type { TrainedTextModel } from "./text-models/trained-text-model.js";
export { writeTextModel, type WriteTextModelOptions } from "./text-models/write-text-model.js";
export {
  type FurtherTrainingOptions,
  type TaggerModel,
  trainFurther,
} from "./further-training/train-further.js";
export type { QatOptions, QuantizationAware } from "./quantization-aware/quantization-aware.js";
export { distill, type Distilled, type DistillOptions, type Teachers } from "./distillation/distill.js";
export { studentPreset } from "./distillation/distill-tagger.js";
export type { DistilledTagger, DistillTaggerOptions } from "./distillation/distill-tagger.js";
export type { DistilledTransformer, DistillTransformerOptions } from "./distillation/distill-transformer.js";
export { type TargetOptions, teacherTargets } from "./distillation/targets.js";
export {
  type NeuralTeacher,
  openTeacher,
  openTeachers,
  type Teacher,
  type TransformerTeacher,
} from "./distillation/teacher.js";
export type { SoftTargets } from "./neural/training/soft-targets.js";
export { defaultTransformerSize, type TransformerSize } from "./subwords/random-encoder.js";
export { trainVocabulary, type VocabularyOptions } from "./subwords/train-vocabulary.js";
export {
  defaultTransformerRecipe,
  type TrainedTransformer,
  trainTransformer,
  type TrainTransformerOptions,
  type TransformerRecipe,
} from "./subwords/train-transformer.js";
