import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Collections after which nothing is left, each some milliseconds. */
const enough = 4;

/** The collector of V8 (Node, Deno) or of another engine; undefined where a program cannot call it. */
function collector(): (() => void) | undefined {
  const { Bun } = globalThis as { readonly Bun?: { gc(force: boolean): void } };
  if (Bun !== undefined) return () => Bun.gc(true);
  setFlagsFromString("--expose-gc");
  return runInNewContext("globalThis.gc") as (() => void) | undefined;
}

/**
 * Collects garbage now: buffers of hundreds of megabytes are small objects to the collector, which would leave them
 * until long after the next allocation of that size.
 *
 * @param rounds collections, each some milliseconds; a single one leaves what had just been in use
 */
export async function releaseMemory(rounds = enough): Promise<void> {
  const collect = collector();
  if (collect === undefined) return;
  // What has been awaited is let go a turn later. A collection that was under way keeps what it had marked by then, and
  // what the runtime's handles held is free for the one after.
  for (let round = 0; round < rounds; round++) {
    await setImmediate();
    collect();
  }
}
