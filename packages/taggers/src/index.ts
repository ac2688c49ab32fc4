export { TaggerError, type TaggerErrorCode, type TaggerErrorFields } from "./tagger-error.js";
export {
  type DecidedBy,
  entityLabels,
  type LabelChoice,
  type Labelling,
  labellingOf,
  type Task,
  taskOf,
} from "./task.js";
export { checkLabels } from "./check-labels.js";
export { type LabelSettings, labellingOfSettings, withChoice } from "./label-choice.js";
export {
  type Aggregation,
  aggregations,
  type BatchOptions,
  type ChoiceOptions,
  type EncodedBatch,
  type LabelChoices,
  type Sentences,
  type Tagger,
} from "./tagger.js";
export {
  entities,
  type Entity,
  type EntityWord,
  sentenceEntities,
  type SentenceEntities,
} from "./entities/entities.js";
export {
  type EntityOptions,
  type LabelledPart,
  type WordEntity,
  wordEntities,
} from "./entities/word-entities.js";
export {
  type LabelledSentence,
  type LabelledSentences,
  noLabel,
  placeOf,
} from "./evaluation/labelled-sentence.js";
export type { Counts, LabelRow, Metric } from "./evaluation/counts.js";
export { type Evaluation, evaluate, type EvaluateOptions, type Score } from "./evaluation/evaluate.js";
export { score, type ScoreOptions } from "./evaluation/score.js";
export { type Flip, flips } from "./evaluation/flips.js";
export { type LossInterval, lossInterval, type LossIntervalOptions } from "./evaluation/loss-interval.js";
export {
  contractionCuts,
  type MultiwordToken,
  segmentSentence,
  segmentText,
  textSentences,
  type TextSentence,
  type TextWord,
} from "./segmentation/segment-text.js";
export {
  longestPiece,
  pieceEnd,
  type PieceOptions,
  sentenceSpans,
  type SentenceOptions,
} from "./segmentation/text-pieces.js";
export { defaultLanguage, type Language, languageTag } from "./segmentation/languages/find-language.js";
export type { Contractions, LanguageSettings } from "./segmentation/languages/language-settings.js";
export type { Span } from "./segmentation/tokens.js";
export { entitiesInForm, type EntitySource, labelledAs } from "./evaluation/entities-in-form.js";
export { labelledWords } from "./evaluation/labelled-words.js";
export { type Encoder, makeEncoder } from "./make-encoder.js";
export { makeTagger, makeTransformerTagger } from "./make-tagger.js";
export { type HfParts, settingsFromHf, type TransformerSettings } from "./transformer/settings.js";
export { readTaggerSettings, taggerMetadata, type TaggerSettings, withTagger } from "./tagger-settings.js";
export { type TaggedSentence, type TaggedWord, tagText } from "./segmentation/tag-text.js";
export { taggedConllu } from "./segmentation/tagged-conllu.js";
export type { FeatureSettings } from "./neural/features/feature-settings.js";
export { makeNeuralTagger, type NeuralSessions, openNeuralTagger } from "./neural/neural-tagger.js";
export type { NeuralSettings } from "./neural/neural-metadata.js";
export { makeSequenceTagger } from "./sequence/sequence-tagger.js";
export type { Padding, SequenceSettings } from "./sequence/settings.js";
export { namedId, readLabelIndex, readWordIndex } from "./sequence/word-index.js";
export { inputsOf } from "./model-inputs.js";
