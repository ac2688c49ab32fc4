import type { Pace } from "@nasty/workflow/command";
import { formatDuration } from "@nasty/workflow/report";
import type { Console } from "./console.js";

/** Seconds between lines, where there is no bar. */
const lineEvery = 10;

/**
 * Shows on standard error how far a corpus is: in the bar on a terminal, otherwise a line now and then.
 *
 * @param now seconds, for the distance between lines
 */
export function followPace(
  { bar, note }: Pick<Console, "bar" | "note">,
  now: () => number = () => performance.now() / 1000,
): (done: number, pace: Pace) => void {
  let shown = now();
  return (done, { wordsPerSecond, secondsLeft, shards, shardsDone }) => {
    bar.update(done);
    if (bar.isBar || now() - shown < lineEvery) return;
    shown = now();
    const speed = Math.round(wordsPerSecond).toLocaleString("en-US");
    note(`${shardsDone} of ${shards} shards, ${speed} words/s, ${formatDuration(secondsLeft)} left`);
  };
}
