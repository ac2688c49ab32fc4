import type { Session } from "@nasty/runtime";
import type { TransformerSettings } from "@nasty/taggers";
import { makeTransformerTagger } from "@nasty/taggers/transformer";
import { taggerModule } from "./tagger-module.js";

export const { createTagger, tag, tagSentences } = taggerModule(([whole], { settings }) =>
  makeTransformerTagger(whole as Session, settings as TransformerSettings),
);
