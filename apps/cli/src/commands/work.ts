import type { SettingsOf, workOperation } from "@nasty/workflow/operations";
import { formatCount, formatDuration } from "@nasty/workflow/report";
import { loadQueue } from "../queue/load-queue.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { untilSignal } from "../terminal/until-signal.js";

type WorkOptions = SettingsOf<typeof workOperation.options> & CommonOptions;

/** `nasty work`: tags the shards of a queue; a signal lets it finish what is under way. */
export async function work(options: WorkOptions, terminal: Terminal): Promise<void> {
  const { runWork } = await loadQueue("work");
  const result = await untilSignal(terminal, "the shards under way are finished", (reporter) =>
    runWork(options, reporter),
  );
  terminal.result(result, () => {
    const { shards, words, failures, seconds, wordsPerSecond } = result;
    const failed = failures === 0 ? "" : `, ${failures} attempts failed`;
    return [
      `${result.queue}: ${shards} shards${failed}`,
      `  ${formatCount(words)} words in ${formatDuration(seconds)}, ${formatCount(Math.round(wordsPerSecond))} words/s`,
    ].join("\n");
  });
}
