import { fingerprint } from "./fingerprint.js";
import type { Artifact, FinishedStep, PipelineState, Score } from "./pipeline-state.js";
import type { PlannedStep } from "./plan-pipeline.js";

/** What a step function is given. */
export interface StepJob {
  readonly step: PlannedStep;
  readonly input: Artifact;
  /** Whether an earlier run was interrupted in this very work: what it left may be gone on with, else it must go. */
  readonly isInterrupted: boolean;
  /** The models so far, the first one first. */
  readonly stages: readonly Stage[];
}

/** What a step function says when it is done, or when it refuses its own work (an accuracy gate). */
export type StepOutcome =
  | ({ readonly kind: "done" } & Omit<FinishedStep, "fingerprint" | "seconds">)
  | { readonly kind: "refused"; readonly message: string; readonly result: unknown };

export type StepFunction = (job: StepJob) => Promise<StepOutcome>;

/** A model of the pipeline: the first one, or what a step left. */
export interface Stage {
  /** 0 for the first model, else the step's. */
  readonly number: number;
  readonly kind: string;
  readonly status: "start" | "done" | "skipped";
  /** Null for a step that writes nothing. */
  readonly output: Artifact | null;
  readonly score: Score | null;
  readonly result: unknown;
  readonly seconds: number;
}

export interface Refusal {
  readonly step: number;
  readonly kind: string;
  readonly message: string;
  readonly result: unknown;
}

export interface PipelineRun {
  readonly stages: readonly Stage[];
  /** The step that refused its work and ended the run, if one did. */
  readonly refused: Refusal | null;
  readonly state: PipelineState;
}

export interface RunPipelineOptions {
  readonly start: Artifact;
  /** One for each kind of step. */
  readonly functions: Readonly<Record<string, StepFunction>>;
  /** What an earlier run left. */
  readonly state: PipelineState;
  /** What else decides results: versions, seed. */
  readonly environment: unknown;
  /** Whether a file or folder is still what it was. */
  readonly isUnchanged: (artifact: Artifact) => Promise<boolean>;
  /** Keeps the state, before and after each step. */
  readonly save: (state: PipelineState) => Promise<void>;
  /** Judges a model; null where that cannot be done. Left out, nothing is judged. */
  readonly evaluate?: (artifact: Artifact) => Promise<Score | null>;
  /** What {@link RunPipelineOptions.evaluate} judges on, so that models are judged once. */
  readonly evaluationKey?: string;
  readonly onStep?: (step: PlannedStep, status: "begins" | "done" | "skipped") => void;
}

/**
 * Runs the steps of a plan one after the other, each on what the one before it made.
 *
 * A step is skipped when an earlier run has done it on the same input with the same options, data and environment, and
 * what it wrote is unchanged. The state is saved whenever a step begins and ends, so that an interrupted run goes on
 * behind the last finished step.
 *
 * @param steps of `planPipeline`
 * @returns every model with its score; after a refusal those before it
 * @throws what a step function throws; the state then holds all finished steps
 * @example await runPipeline(plan, { start, functions: { compress }, state: noState, environment: {}, isUnchanged, save
 *   })
 */
export async function runPipeline(
  steps: readonly PlannedStep[],
  options: RunPipelineOptions,
): Promise<PipelineRun> {
  const { start, functions, environment, isUnchanged, save, onStep } = options;
  let state = options.state;
  const earlier = new Map(state.steps.map((step) => [step.fingerprint, step]));
  const interrupted = state.running;
  const finished: FinishedStep[] = [];
  const keep = async (change: Partial<PipelineState>): Promise<void> => {
    state = { ...state, ...change };
    await save(state);
  };
  /** What is done, and what earlier runs did that may still fit: the same work gives the same bytes. */
  const records = (): FinishedStep[] => {
    const known = new Set(finished.map((step) => step.fingerprint));
    return [...finished, ...[...earlier.values()].filter((step) => !known.has(step.fingerprint))];
  };
  const scoreOf = async (artifact: Artifact): Promise<Score | null> => {
    if (options.evaluate === undefined) return null;
    const key = `${artifact.sha256} ${options.evaluationKey ?? ""}`;
    const known = state.scores[key];
    if (known !== undefined) return known;
    const score = await options.evaluate(artifact);
    if (score !== null) await keep({ scores: { ...state.scores, [key]: score } });
    return score;
  };

  const stages: Stage[] = [
    {
      number: 0,
      kind: "start",
      status: "start",
      output: start,
      score: await scoreOf(start),
      result: null,
      seconds: 0,
    },
  ];
  let current = start;
  for (const step of steps) {
    const work = functions[step.kind];
    if (work === undefined) throw new TypeError(`runPipeline: no function for steps of kind ${step.kind}`);
    const identity = fingerprint({
      kind: step.kind,
      options: step.options,
      outputName: step.outputName,
      data: step.data,
      input: current.sha256,
      // A step that judges compares with the first model.
      first: start.sha256,
      environment,
    });
    const before = earlier.get(identity);
    let done: FinishedStep;
    const isSkipped = before !== undefined && (before.output === null || (await isUnchanged(before.output)));
    if (isSkipped) {
      done = before;
    } else {
      onStep?.(step, "begins");
      await keep({ steps: records(), running: identity });
      const began = performance.now();
      const outcome = await work({
        step,
        input: current,
        isInterrupted: interrupted === identity,
        stages: [...stages],
      });
      if (outcome.kind === "refused") {
        await keep({ running: null });
        const { message, result } = outcome;
        return { stages, refused: { step: step.number, kind: step.kind, message, result }, state };
      }
      const { kind: _, ...made } = outcome;
      done = { fingerprint: identity, ...made, seconds: (performance.now() - began) / 1000 };
    }
    finished.push(done);
    if (!isSkipped) await keep({ steps: records(), running: null });
    onStep?.(step, isSkipped ? "skipped" : "done");
    stages.push({
      number: step.number,
      kind: step.kind,
      status: isSkipped ? "skipped" : "done",
      output: done.output,
      score: done.output === null ? null : await scoreOf(done.output),
      result: done.result,
      seconds: done.seconds,
    });
    if (done.isModel && done.output !== null) current = done.output;
  }
  // Only what this recipe needs is kept.
  if (state.steps.length !== finished.length) await keep({ steps: finished });
  return { stages, refused: null, state };
}
