import { openSession } from "@nasty/runtime";
import type { TextSettings, TextSample } from "@nasty/taggers/texts";
import type { FeedSample } from "../feeds/feed-sample.js";
import { graphSubject } from "../kinds/graph-kind.js";
import { textSubject } from "../kinds/text-kind.js";

/** What the fresh process is told about a model that is no tagger. */
export interface RunJob {
  readonly modelPath: string;
  /** Undefined for a graph that is fed. */
  readonly text: TextSettings | undefined;
  readonly samples: readonly unknown[];
  readonly threads: number;
}

/** Runs in the fresh process of a memory measurement; what is open is returned so that it stays in memory. */
export async function runSamples({ modelPath, text, samples, threads }: RunJob): Promise<unknown> {
  const session = await openSession(modelPath, { threads });
  if (text === undefined) {
    const subject = graphSubject(session);
    await subject.runAll(samples as readonly FeedSample[], 1);
    return subject;
  }
  const subject = await textSubject(session, text);
  await subject.runAll(samples as readonly TextSample[], 1);
  return subject;
}
