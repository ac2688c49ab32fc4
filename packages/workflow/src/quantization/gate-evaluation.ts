import {
  type Evaluation,
  evaluate,
  type LabelChoice,
  type LabelledSentence,
  type Tagger,
} from "@nasty/taggers";
import type { Progress } from "../reporter.js";
import { nameOf } from "../texts/text-form.js";

/** Measures a model on the text of the gate; the title is that of the model, for progress. */
export type Judge = (tagger: Tagger, title: string) => Promise<Evaluation>;

/** What the gate judges by. */
interface GateText {
  readonly validation: string;
  readonly sentences: readonly LabelledSentence[];
  readonly scheme?: LabelChoice["scheme"];
}

/** Sentence by sentence: a dynamic activation range spans the batch, so batch-mates would change labels. */
export function judgeOf({ validation, sentences, scheme }: GateText, progress: Progress): Judge {
  return async (tagger, title) => {
    progress.start(`gate: tagging ${sentences.length} sentences with ${title}`, sentences.length);
    const result = await evaluate(tagger, sentences, {
      path: nameOf(validation),
      scheme,
      batchSize: 1,
      onProgress: (done) => progress.update(done),
    });
    progress.stop();
    return result;
  };
}
