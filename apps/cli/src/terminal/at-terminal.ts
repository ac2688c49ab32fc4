import { subscribe } from "node:diagnostics_channel";
import { noticeChannel, type RuntimeNotice } from "@nasty/runtime/notice";
import { readingFor, reporterOf, withReading } from "@nasty/workflow/command";
import { type CommonOptions, openConsole, type Terminal } from "./console.js";
import { endOnSignals } from "./interruption.js";
import { sayingTexts } from "./saying-texts.js";
import { showProgress } from "./show-progress.js";

/** Runs a command at the terminal: what it reads, reports and leaves unfinished is looked after as its options say. */
export async function atTerminal(
  options: CommonOptions,
  work: (terminal: Terminal) => Promise<void>,
): Promise<void> {
  endOnSignals();
  const output = openConsole(options);
  const { note } = output;
  subscribe(noticeChannel, (notice) => note(`Note: ${(notice as RuntimeNotice).message}`));
  const reporter = reporterOf({ onProgress: showProgress(output), onNote: note });
  const reading = readingFor(options);
  await withReading(reading, () => work({ ...reporter, ...sayingTexts(output, reading) }));
}
