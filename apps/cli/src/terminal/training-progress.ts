import type { TrainingEvent } from "@nasty/training";
import type { Console } from "./console.js";
import { epochTitle, formatDuration, formatPercent } from "@nasty/workflow/report";

/** Seconds between the lines within an epoch, where there is no bar. */
const lineEvery = 10;

type Step = Extract<TrainingEvent, { readonly event: "step" }>;

/** Loss and time left, smoothed over some twenty steps: single steps jump. */
function stepNote({ secondsLeft }: Step, loss: number): string {
  const left = secondsLeft === undefined ? "" : `, ${formatDuration(secondsLeft)} left`;
  return `loss ${loss.toFixed(4)}${left}`;
}

/**
 * Shows on standard error how far a training is: a bar for each epoch on a terminal, otherwise a line now and then, and
 * a line at each epoch's end. While it lasts, Ctrl-C says how to go on.
 *
 * @param now seconds, for the distance between lines
 */
export function followTraining(
  terminal: Console,
  now: () => number = () => performance.now() / 1000,
): (event: TrainingEvent) => void {
  let loss: number | undefined;
  let barOf = 0;
  let shown = now();
  let saved = false;

  const step = (event: Step): void => {
    loss = loss === undefined ? event.loss : loss + (event.loss - loss) / 20;
    const { epoch, epochs, totalSteps } = event;
    const perEpoch = totalSteps === undefined ? undefined : totalSteps / epochs;
    const done = perEpoch === undefined ? event.step : event.step - (epoch - 1) * perEpoch;
    if (terminal.bar.isBar && perEpoch !== undefined) {
      if (barOf !== epoch) terminal.bar.start(`${epochTitle(event)}/${epochs}`, perEpoch, "{note}");
      barOf = epoch;
      terminal.bar.update(done, stepNote(event, loss));
    } else if (now() - shown >= lineEvery) {
      shown = now();
      const of = perEpoch === undefined ? "" : `/${perEpoch}`;
      terminal.note(`${epochTitle(event)}/${epochs}, step ${done}${of}: ${stepNote(event, loss)}`);
    }
  };
  const stopBar = (): void => {
    if (barOf > 0) terminal.bar.stop();
    barOf = 0;
  };
  const interrupted = (): void => {
    stopBar();
    terminal.note(
      saved
        ? "interrupted: give the same command again to go on from the last checkpoint"
        : "interrupted before the first checkpoint: the same command begins anew",
    );
    process.exit(130);
  };
  let isListening = false;
  const listen = (on: boolean): void => {
    if (on === isListening) return;
    isListening = on;
    if (on) process.prependListener("SIGINT", interrupted);
    else process.removeListener("SIGINT", interrupted);
  };

  return (event) => {
    listen(event.event !== "stop");
    switch (event.event) {
      case "step":
        step(event);
        break;
      case "epoch": {
        stopBar();
        shown = now();
        const value = event.metric === undefined ? "" : `, validation ${formatPercent(event.metric)}`;
        const best = event.best ? " (best)" : "";
        terminal.note(`${epochTitle(event)}: loss ${event.loss.toFixed(4)}${value}${best}`);
        break;
      }
      case "resume":
        saved = true;
        terminal.note(`going on at ${epochTitle(event)}, step ${event.step}`);
        break;
      case "checkpoint":
        saved = true;
        break;
      case "stop":
        stopBar();
        break;
      default:
        event satisfies never;
    }
  };
}
