import type { TrainingEvent } from "@nasty/training";
import { epochTitle } from "./report/training-text.js";

/** How far a step of an operation is. */
export interface ProgressEvent {
  /** What is being done, in words: `measuring ranges on 200 sentences`. */
  readonly step: string;
  /** Units done so far: sentences, weights, training steps. */
  readonly done: number;
  /** All units; undefined where it is not known before. */
  readonly total: number | undefined;
  /** Whether the step begins, goes on, or is over. */
  readonly state: "begin" | "update" | "end";
  /** What a training says of itself; only while training. */
  readonly training?: TrainingEvent;
  /** How fast a corpus is tagged by all workers; only while it is. */
  readonly pace?: Pace;
}

/** Speed of a long step so far. */
export interface Pace {
  readonly wordsPerSecond: number;
  readonly secondsLeft: number;
  readonly shards: number;
  readonly shardsDone: number;
}

/** What every operation takes beside its options. */
export interface RunOptions {
  /** Called as steps begin, go on and end. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  /** Called with remarks, a sentence each, such as what a text was taken for. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Ends the operation between two of its steps; nothing is left half-written. */
  readonly signal?: AbortSignal | undefined;
}

/** What the insides of an operation say how far they are with. */
export interface Reporter {
  readonly progress: Progress;
  /** A remark for the person who waits for the result. */
  note(text: string): void;
  /** What a training needs to be followed and ended. */
  readonly training: FollowedTraining;
  readonly signal: AbortSignal | undefined;
}

/** Steps, one after the other. */
export interface Progress {
  /** Begins a step of `total` units; ends the one before. */
  start(step: string, total?: number): void;
  /** Moves to `done` units of the current step. */
  update(done: number, pace?: Pace): void;
  /** Ends the current step. */
  stop(): void;
}

/**
 * Options of a training that report each of its steps, and end it on the signal: after the step under way, with a
 * checkpoint if it keeps one. Then the training throws the signal's reason.
 */
export interface FollowedTraining {
  readonly onEvent: (event: TrainingEvent) => void;
  readonly eventEvery: 1;
  readonly signal?: AbortSignal;
}

/**
 * Turns what the insides of an operation say into events; every step is a place where an aborted operation ends.
 *
 * @throws the signal's reason from `start` and `update` once it is aborted
 */
export function reporterOf({ onProgress, onNote, signal }: RunOptions): Reporter {
  let current: { readonly step: string; readonly total: number | undefined } | undefined;
  let reached = 0;
  /** Whether the current step is one of a training. */
  let isTraining = false;
  const say = (state: ProgressEvent["state"], training?: TrainingEvent, pace?: Pace): void => {
    if (current === undefined) return;
    const more = { ...(training !== undefined && { training }), ...(pace !== undefined && { pace }) };
    onProgress?.({ ...current, done: reached, state, ...more });
  };
  const stop = (): void => {
    say("end");
    current = undefined;
  };
  const progress: Progress = {
    start(step, total) {
      signal?.throwIfAborted();
      stop();
      current = { step, total };
      reached = 0;
      isTraining = false;
      say("begin");
    },
    update(done, pace) {
      signal?.throwIfAborted();
      reached = done;
      say("update", undefined, pace);
    },
    stop,
  };
  return {
    progress,
    note: (text) => onNote?.(text),
    training: { onEvent: follow, eventEvery: 1, ...(signal !== undefined && { signal }) },
    signal,
  };

  /** Each epoch is a step; an event that comes before the first epoch begins a step of its own. */
  function follow(event: TrainingEvent): void {
    if (event.event === "stop") {
      current ??= unnamed;
      say("end", event);
      current = undefined;
      // The loop has kept its checkpoint; what it would return is not trained to the end.
      signal?.throwIfAborted();
      return;
    }
    const next = "epochs" in event ? epochOf(event) : ((isTraining ? current : undefined) ?? unnamed);
    const isNew = current?.step !== next.step;
    if (isNew) {
      stop();
      reached = 0;
    }
    current = next;
    isTraining = true;
    if ("epochs" in event) {
      reached = next.total === undefined ? event.step : event.step - (event.epoch - 1) * next.total;
    }
    say(isNew ? "begin" : "update", event);
  }
}

/** What a training does before its first epoch. */
const unnamed = { step: "training", total: undefined };

function epochOf(event: Extract<TrainingEvent, { readonly epochs: number }>) {
  const { epochs, totalSteps } = event;
  const total = totalSteps === undefined ? undefined : Math.ceil(totalSteps / epochs);
  return { step: `${epochTitle(event)}/${epochs}`, total };
}
