import { createRequire } from "node:module";
import type * as CliProgress from "cli-progress";

/** Reports how far a long step is; results never pass through it. */
export interface Bar {
  /** Whether steps are shown as bars that move, rather than as a line each. */
  readonly isBar: boolean;
  /**
   * Begins a step of `total` units (undefined when the total is not known); a bar ends with the time left, or with what
   * `tail` says.
   */
  start(title: string, total?: number, tail?: string): void;
  /** Moves to `done` units of the current step; `note` is what `{note}` in the tail stands for. */
  update(done: number, note?: string): void;
  /** Ends the current step. */
  stop(): void;
}

export const silent: Bar = { isBar: false, start() {}, update() {}, stop() {} };

/** A bar on a terminal, a plain line a step otherwise; always on standard error. */
export function barOn(stream: NodeJS.WriteStream): Bar {
  return stream.isTTY ? bars(stream) : lines(stream);
}

function bars(stream: NodeJS.WriteStream): Bar {
  let bar: CliProgress.SingleBar | undefined;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
    process.removeListener("exit", stop);
  };
  return {
    isBar: true,
    start(title, total, tail = "{eta_formatted} left") {
      if (total === undefined) {
        stream.write(`${title}\n`);
        return;
      }
      // Loaded with the first bar only: most runs have no terminal, and a start counts in milliseconds.
      const { Presets, SingleBar } = createRequire(import.meta.url)("cli-progress") as typeof CliProgress;
      const format = `${title} [{bar}] {percentage}% | {value}/{total} | ${tail}`;
      bar = new SingleBar(
        // A signal may end the process at any moment: nothing of the terminal is changed that would have to be put
        // right.
        { format, stream, hideCursor: null, linewrap: true, gracefulExit: false, clearOnComplete: true },
        Presets.shades_classic,
      );
      // An error in between must not leave half a bar before its message.
      process.once("exit", stop);
      bar.start(total, 0, { note: "" });
    },
    update: (done, note) => bar?.update(done, note === undefined ? {} : { note }),
    stop,
  };
}

function lines(stream: NodeJS.WriteStream): Bar {
  return {
    isBar: false,
    start: (title) => void stream.write(`${title}\n`),
    update() {},
    stop() {},
  };
}
