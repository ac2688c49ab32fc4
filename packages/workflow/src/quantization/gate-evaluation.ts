import type { Evaluation, LabelChoice, LabelledSentence, Tagger } from "@nasty/taggers";
import { evaluateSentences } from "../evaluation/evaluate-sentences.js";
import type { Reporter } from "../reporter.js";

/** Measures a model on the text of the gate; the title is that of the model, for progress. */
export type Judge = (tagger: Tagger, title: string) => Promise<Evaluation>;

/** What the gate judges by. */
interface GateText {
  readonly validation: string;
  readonly sentences: readonly LabelledSentence[];
  readonly scheme?: LabelChoice["scheme"];
}

/** Sentence by sentence: a dynamic activation range spans the batch, so batch-mates would change labels. */
export function judgeOf({ validation, sentences, scheme }: GateText, reporter: Reporter): Judge {
  return (tagger, title) => {
    const step = `gate: tagging ${sentences.length} sentences with ${title}`;
    return evaluateSentences(tagger, sentences, { step, path: validation, scheme, batchSize: 1 }, reporter);
  };
}
