import * as v from "valibot";

/** Names of the metadata entries that every model with a tokenizer carries, and their version. */
export const TOKENIZER_KEY = "nasty.tokenizer";
export const HUGGING_FACE_KEY = "nasty.huggingface";
export const SCHEMA = 1;

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What the settings of a model say of its tokenizer and its positions, whatever the model is for. */
export const tokenizerEntries = {
  schema: v.literal(SCHEMA),
  padId: Count,
  unkToken: v.optional(v.string()),
  removeSpace: v.optional(v.boolean()),
  lowercaseAndRemoveAccent: v.optional(v.boolean()),
  maxPositions: v.optional(Count),
  positionOffset: v.optional(Count, 0),
  vocabularySize: v.optional(Count),
};

/** The files of the Hugging Face directory that a model came from. */
export const HuggingFace = v.object({
  schema: v.literal(SCHEMA),
  config: v.record(v.string(), v.unknown()),
  tokenizerConfig: v.record(v.string(), v.unknown()),
});
