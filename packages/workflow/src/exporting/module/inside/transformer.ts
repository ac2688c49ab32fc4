import type { Session } from "@nasty/runtime";
import { makeTransformerTagger, type TransformerSettings } from "@nasty/taggers";
import { taggerModule } from "./tagger-module.js";

export const { createTagger, tag, tagSentences } = taggerModule(([whole], { settings }) =>
  makeTransformerTagger(whole as Session, settings as TransformerSettings),
);
