import { once } from "node:events";
import { type Reporter, toJson } from "@nasty/workflow/command";
import { type Bar, barOn, silent } from "./bar.js";

/** The options that every command takes. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly debug?: boolean;
  readonly seed: number;
  readonly threads: number;
}

/** Results on standard output, everything else on standard error. */
export interface Console extends Results {
  readonly bar: Bar;
  /** A remark for the person at the terminal (silenced by `--quiet`). */
  note(text: string): void;
}

/** Where a command says what it does and what it found. */
export interface Terminal extends Reporter, Results {}

/** Where a command says what it found. */
export interface Results {
  /** One result, as JSON with `--json`, as text otherwise. */
  result(value: unknown, text: () => string): void;
  /** A piece of a result that is written as it comes; waits for a reader that is slower. */
  write(text: string): Promise<void>;
}

/** Whether a result, or a part of one, is on standard output: what comes after it would make two documents of one. */
export function hasResult(): boolean {
  return written;
}

let written = false;

function writeOut(text: string): boolean {
  written = true;
  return process.stdout.write(text);
}

export function openConsole(options: CommonOptions): Console {
  return {
    bar: options.quiet ? silent : barOn(process.stderr),
    result: (value, text) => void writeOut(`${options.json ? toJson(value) : text()}\n`),
    async write(text) {
      if (!writeOut(text)) await once(process.stdout, "drain");
    },
    note: (text) => {
      if (!options.quiet) process.stderr.write(`${text}\n`);
    },
  };
}
