import {
  type Evaluation,
  evaluate,
  type LabelChoice,
  type LabelledSentence,
  type Tagger,
} from "@nasty/taggers";
import type { Reporter } from "../reporter.js";
import { nameOf } from "../texts/text-form.js";

/** What {@link evaluateSentences} says of its work, and how it does it. */
interface Judging {
  /** What is being done, for progress. */
  readonly step: string;
  /** Path of the text that the sentences are from, for messages. */
  readonly path: string;
  /** Scheme of its labels, where it is theirs. */
  readonly scheme: LabelChoice["scheme"];
  /** Default: as the tagger makes them. 1 where ranges of a dynamic int8 file must not span other sentences. */
  readonly batchSize?: number;
}

/** Measures a tagger on sentences that are at hand, says how far it is, and ends on the signal. */
export async function evaluateSentences(
  tagger: Tagger,
  sentences: readonly LabelledSentence[],
  { step, path, ...options }: Judging,
  { progress, signal }: Pick<Reporter, "progress" | "signal">,
): Promise<Evaluation> {
  progress.start(step, sentences.length);
  try {
    return await evaluate(tagger, sentences, {
      ...options,
      path: nameOf(path),
      signal,
      onProgress: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
}
