import { fileURLToPath } from "node:url";
import type { Workshop } from "./workshop.js";

const spy = fileURLToPath(new URL("runtime-spy.mjs", import.meta.url));

/** What the runtime was told. */
export interface Observed {
  /** Threads of each session, in the order of their opening. */
  readonly sessions: readonly number[];
  /** The same, each number once. */
  readonly threads: readonly number[];
  /** Sizes of the batches, each once. */
  readonly batches: readonly number[];
  /** Files that sessions were opened on. */
  readonly files: readonly string[];
  /** Bytes of each model that was parsed. */
  readonly parsed: readonly number[];
}

/** Runs a command that must succeed, with a module that writes down what the runtime is told. */
export async function observed(shop: Workshop, args: readonly string[]): Promise<Observed> {
  const name = "runtime.log";
  // The module appends.
  await shop.write(name, "");
  const env = { NODE_OPTIONS: `--import ${spy}`, NASTY_TEST_LOG: shop.path(name) };
  await shop.json(args, { env });
  const lines = String(await shop.bytes(name))
    .trimEnd()
    .split("\n");
  const numbers = (kind: string): number[] =>
    lines.filter((line) => line.startsWith(kind)).map((line) => Number(line.split(" ")[1]));
  const sessions = numbers("threads");
  return {
    sessions,
    threads: [...new Set(sessions)],
    batches: [...new Set(numbers("batch"))],
    files: lines.filter((line) => line.startsWith("file ")).map((line) => line.slice(5)),
    parsed: numbers("parse"),
  };
}
