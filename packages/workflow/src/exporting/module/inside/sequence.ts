import type { Session } from "@nasty/runtime";
import { makeSequenceTagger, type SequenceSettings } from "@nasty/taggers";
import { taggerModule } from "./tagger-module.js";

export const { createTagger, tag, tagSentences } = taggerModule(([whole], { settings }) =>
  makeSequenceTagger(whole as Session, settings as SequenceSettings),
);
