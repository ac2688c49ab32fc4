import { EventEmitter } from "node:events";
import type { TrainingEvent } from "@nasty/training";
import { afterEach, describe, expect, test } from "vitest";
import type { Console } from "../../src/terminal/console.js";
import { barOn } from "../../src/terminal/bar.js";
import { followTraining } from "../../src/terminal/training-progress.js";

const stepsPerEpoch = 40;

function step(number: number): TrainingEvent {
  const epoch = Math.ceil(number / stepsPerEpoch);
  return {
    event: "step",
    epoch,
    epochs: 3,
    step: number,
    totalSteps: 3 * stepsPerEpoch,
    secondsLeft: 3 * stepsPerEpoch - number,
    loss: 1 / number,
    losses: {},
    learningRate: 0.1,
    gradientNorm: 1,
    stepsPerSecond: 1,
  };
}

function epochEnd(epoch: number): TrainingEvent {
  return {
    event: "epoch",
    epoch,
    epochs: 3,
    step: epoch * stepsPerEpoch,
    totalSteps: 120,
    secondsLeft: 1,
    seconds: 40,
    loss: 0.5,
    metric: 0.9,
    best: true,
  };
}

/** A stream that keeps what is written, as a terminal or as a file. */
function stream(isTTY: boolean) {
  let text = "";
  const made = Object.assign(new EventEmitter(), {
    isTTY,
    columns: 200,
    write: (chunk: string) => {
      text += chunk;
      return true;
    },
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  });
  return { stream: made as unknown as NodeJS.WriteStream, text: () => text };
}

function follow(isTTY: boolean) {
  const shown = stream(isTTY);
  let seconds = 0;
  const terminal: Console = {
    bar: barOn(shown.stream),
    result: () => undefined,
    write: async () => undefined,
    note: (text) => void shown.stream.write(`${text}\n`),
  };
  const onEvent = followTraining(terminal, () => seconds);
  return {
    ...shown,
    /** One step a second. */
    run(from: number, to: number) {
      for (let number = from; number <= to; number++) {
        seconds += 1;
        onEvent(step(number));
      }
    },
    onEvent,
  };
}

const listeners = process.listeners("SIGINT");
afterEach(() => {
  for (const listener of process.listeners("SIGINT")) {
    if (!listeners.includes(listener)) process.removeListener("SIGINT", listener);
  }
});

describe("a training that one watches", () => {
  test("is a line every ten seconds in a file, with step, loss and time left", () => {
    const { run, text, onEvent } = follow(false);
    run(1, 40);
    onEvent(epochEnd(1));
    run(41, 52);
    const lines = text().trim().split("\n");
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(/^epoch 1\/3, step 10\/40: loss \d\.\d{4}, 1 min 50 s left$/);
    expect(lines[3]).toMatch(/^epoch 1\/3, step 40\/40: .*, 1 min 20 s left$/);
    expect(lines[4]).toBe("epoch 1: loss 0.5000, validation 90.00% (best)");
    expect(lines[5]).toMatch(/^epoch 2\/3, step 10\/40: /);
  });

  test("is a bar for each epoch on a terminal, gone before the epoch's line", () => {
    const { run, text, onEvent } = follow(true);
    run(1, 40);
    onEvent(epochEnd(1));
    run(41, 41);
    onEvent({ event: "stop", reason: "finished", epoch: 2, step: 41 });
    expect(text()).toMatch(/epoch 1\/3 \[.*\] \d+% \| \d+\/40 \| loss \d\.\d{4}, \d+ (?:s|min \d+ s) left/);
    expect(text()).toContain("epoch 2/3 [");
    expect(text()).toContain("epoch 1: loss 0.5000, validation 90.00% (best)\n");
    expect(text()).not.toContain("{note}");
  });

  test("listens for Ctrl-C while it lasts, and not after", () => {
    const { run, onEvent } = follow(false);
    run(1, 2);
    expect(process.listenerCount("SIGINT")).toBe(listeners.length + 1);
    onEvent({ event: "stop", reason: "finished", epoch: 1, step: 2 });
    expect(process.listenerCount("SIGINT")).toBe(listeners.length);
  });
});
