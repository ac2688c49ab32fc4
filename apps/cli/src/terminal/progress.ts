import { createRequire } from "node:module";
import type * as CliProgress from "cli-progress";

/** Reports how far a long step is; results never pass through it. */
export interface Progress {
  /** Begins a step of `total` units (undefined when the total is not known). */
  start(title: string, total?: number): void;
  /** Moves to `done` units of the current step. */
  update(done: number): void;
  /** Ends the current step. */
  stop(): void;
}

export const silent: Progress = { start() {}, update() {}, stop() {} };

/** A bar on a terminal, a plain line a step otherwise; always on standard error. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? bars(stream) : lines(stream);
}

function bars(stream: NodeJS.WriteStream): Progress {
  let bar: CliProgress.SingleBar | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
    process.removeListener("exit", stop);
  };
  return {
    start(title, total) {
      if (total === undefined) {
        stream.write(`${title}\n`);
        return;
      }
      // Loaded with the first bar only: most runs have no terminal, and a start counts in milliseconds.
      const { Presets, SingleBar } = createRequire(import.meta.url)("cli-progress") as typeof CliProgress;
      const format = `${title} [{bar}] {percentage}% | {value}/{total} | {eta_formatted} left`;
      bar = new SingleBar(
        // A signal may end the process at any moment: nothing of the terminal is changed that would have to be put right.
        { format, stream, hideCursor: null, linewrap: true, gracefulExit: false, clearOnComplete: true },
        Presets.shades_classic,
      );
      // An error in between must not leave half a bar before its message.
      process.once("exit", stop);
      bar.start(total, 0);
    },
    update: (done) => bar?.update(done),
    stop,
  };
}

function lines(stream: NodeJS.WriteStream): Progress {
  return {
    start: (title) => void stream.write(`${title}\n`),
    update() {},
    stop() {},
  };
}
