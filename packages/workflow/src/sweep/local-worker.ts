import type { Artifact } from "@nasty/compression/pipeline";
import { exitCodes, InputError } from "../errors.js";
import { explain } from "../explanation/explain.js";
import type { Labelled, Reading, Verdict } from "../kinds/kind.js";
import { openSubject } from "../kinds/open-subject.js";
import { isUnchanged } from "../recipes/artifact.js";
import { reporterOf } from "../reporter.js";
import { collectAll } from "../texts/collect-all.js";
import { choiceForText } from "../texts/label-choice.js";
import { readingFor, withReading } from "../texts/reading.js";
import type { CandidateTask, Judged, Outcome } from "./candidate.js";
import { samplesOfRung } from "./ladder.js";
import { sweepStep } from "./sweep-steps.js";
import type { BegunRung, CandidateWorker, WorkerSetup } from "./worker.js";

/** A worker in this process. */
export function openLocalWorker(setup: WorkerSetup, signal?: AbortSignal): CandidateWorker {
  const { validation, choice, context } = setup;
  const reporter = reporterOf({ signal });
  let rung: BegunRung | undefined;
  let samples: Promise<readonly Labelled[]> | undefined;

  const make = async ({ step, input, file }: CandidateTask): Promise<Artifact | Outcome> => {
    if (file !== undefined && (await isUnchanged(file))) return file;
    const made = await sweepStep(step.kind).run(
      { step, input, isInterrupted: false, stages: [] },
      { ...context, reporter },
    );
    if (made.kind === "refused") return { kind: "refused", message: made.message };
    if (file !== undefined && made.output?.sha256 !== file.sha256) {
      throw new InputError(
        `sweep: ${step.outputName}: expected the file that it was before (SHA-256 ${file.sha256.slice(0, 16)}…), got another; run with --fresh`,
      );
    }
    return made.output as Artifact;
  };
  const judge = async ({ path }: Artifact, { stride, reference }: BegunRung): Promise<Judged> => {
    const options = { threads: context.threads, ...choiceForText(choice) };
    const { reading, subject } = await openSubject(path, options, [validation]);
    try {
      samples ??= readSamples(reading, validation);
      const chosen = samplesOfRung(await samples, { stride });
      const asking = { step: `judging ${path}`, path: validation, scheme: choice.scheme, reference };
      return judgedBy(await subject.judge(chosen, asking, reporter), reference, context.seed);
    } finally {
      await subject.close();
    }
  };
  const run = async (task: CandidateTask): Promise<Outcome> => {
    try {
      const file = await make(task);
      if ("kind" in file) return file;
      const judged = task.isJudged && rung !== undefined ? await judge(file, rung) : undefined;
      return { kind: "done", file, judged };
    } catch (error) {
      signal?.throwIfAborted();
      const { code, message } = explain(error);
      if (code === exitCodes.bug) throw error;
      return { kind: "failed", message };
    }
  };
  return {
    async begin(begun) {
      rung = begun;
    },
    run: (task) => withReading(readingFor(setup), () => run(task)),
    close: async () => {},
  };
}

/** The samples that recipes are judged on. */
export const readSamples = (reading: Reading, path: string): Promise<readonly Labelled[]> =>
  collectAll(reading.readLabelled(path));

/** The loss of the metric; without labels, the disagreement with the original. */
export function judgedBy({ samples, value, against }: Verdict, reference: Verdict, seed: number): Judged {
  if (against === undefined) throw new TypeError("sweep: judged without the original");
  const isLabelled = reference.metric !== null;
  const { loss, low, high } = isLabelled ? against.loss(seed) : against.drift(seed);
  return {
    samples,
    value: isLabelled ? value : against.agreement,
    loss,
    low,
    high,
    flips: against.flips.length,
  };
}
