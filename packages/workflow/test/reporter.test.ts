import type { TrainingEvent } from "@nasty/training";
import { expect, test } from "vitest";
import { type ProgressEvent, reporterOf } from "../src/reporter.js";

const step = (epoch: number, at: number): TrainingEvent => ({
  event: "step",
  epoch,
  epochs: 2,
  step: at,
  totalSteps: 4,
  secondsLeft: undefined,
  loss: 1,
  losses: {},
  learningRate: 1,
  gradientNorm: 1,
  stepsPerSecond: 1,
});

const epoch = (number: number, at: number): TrainingEvent => ({
  event: "epoch",
  epoch: number,
  epochs: 2,
  step: at,
  totalSteps: 4,
  secondsLeft: undefined,
  loss: 1,
  metric: undefined,
  best: false,
  seconds: 1,
});

const saved: TrainingEvent = { event: "checkpoint", epoch: 1, step: 2, bytes: 1 };
const stopped = (reason: "finished" | "interrupted"): TrainingEvent => ({
  event: "stop",
  reason,
  epoch: 2,
  step: 4,
});

test("each epoch is a step that begins and ends; what comes before the first is one too", () => {
  const seen: string[] = [];
  const told: TrainingEvent[] = [];
  const { progress, training } = reporterOf({
    onProgress: ({ step: name, done, total, state, training: event }: ProgressEvent) => {
      seen.push(`${name} ${done}/${total} ${state}`);
      if (event !== undefined) told.push(event);
    },
  });
  const events = [
    { event: "resume", epoch: 1, step: 1 } as const,
    step(1, 2),
    epoch(1, 2),
    saved,
    step(2, 3),
    step(2, 4),
    epoch(2, 4),
    stopped("finished"),
  ];
  progress.start("reading", 7);
  for (const event of events) training.onEvent(event);
  expect(seen).toEqual([
    "reading 0/7 begin",
    "reading 0/7 end",
    "training 0/undefined begin",
    "training 0/undefined end",
    "epoch 1/2 2/2 begin",
    "epoch 1/2 2/2 update",
    "epoch 1/2 2/2 update",
    "epoch 1/2 2/2 end",
    "epoch 2/2 1/2 begin",
    "epoch 2/2 2/2 update",
    "epoch 2/2 2/2 update",
    "epoch 2/2 2/2 end",
  ]);
  // Whoever follows the training itself hears of each event once.
  expect(told).toEqual(events);
});

test("a training is ended by the signal, and its reason is thrown only after the checkpoint", () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const { training } = reporterOf({ signal: controller.signal });
  expect(training.signal).toBe(controller.signal);
  training.onEvent(step(1, 1));
  controller.abort(reason);
  expect(() => training.onEvent(step(1, 2))).not.toThrow();
  expect(() => training.onEvent(saved)).not.toThrow();
  expect(() => training.onEvent(stopped("interrupted"))).toThrow(reason);
});
