import type { Session } from "@nasty/runtime";
import { makeNeuralTagger, type NeuralSettings } from "@nasty/taggers";
import { taggerModule } from "./tagger-module.js";

export const { createTagger, tag, tagSentences } = taggerModule(([first, second], { settings }) =>
  makeNeuralTagger(
    second === undefined ? { whole: first as Session } : { embedder: first as Session, network: second },
    settings as NeuralSettings,
  ),
);
