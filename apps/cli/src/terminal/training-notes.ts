import type { TrainingEvent } from "@nasty/training";
import type { Terminal } from "./console.js";
import { formatPercent } from "./format.js";

/** Says on standard error how far a training is. */
export function noteTraining(event: TrainingEvent, terminal: Terminal): void {
  switch (event.event) {
    case "step": {
      const left = event.secondsLeft === undefined ? "" : `, ${Math.round(event.secondsLeft)} s left`;
      const losses = Object.entries(event.losses).map(([name, value]) => `${name} ${value.toFixed(3)}`);
      terminal.note(`epoch ${event.epoch}/${event.epochs} step ${event.step}: ${losses.join(", ")}${left}`);
      break;
    }
    case "epoch": {
      const value = event.metric === undefined ? "" : `, validation ${formatPercent(event.metric)}`;
      const best = event.best ? " (best)" : "";
      terminal.note(`epoch ${event.epoch}: loss ${event.loss.toFixed(4)}${value}${best}`);
      break;
    }
    case "resume":
      terminal.note(`going on at epoch ${event.epoch}, step ${event.step}`);
      break;
    default:
  }
}
