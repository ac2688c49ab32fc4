import { setImmediate, setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export interface ReleaseOptions {
  /** Collections, each some milliseconds; a single one leaves what had just been in use. Default 4. */
  readonly rounds?: number;
  /**
   * Size of the arrays that nobody needs any more, where it is known. Of many megabytes the collections end when they
   * are gone, and what still holds them is waited for, some tenths of a second at most.
   */
  readonly expectedBytes?: number;
}

/** Sizes that are worth waiting for; arrays of less are always about. */
const largeBytes = 2 ** 26;
/** Milliseconds between collections once those one after the other were not enough: together a third of a second. */
const pauses = [5, 10, 20, 40, 80, 160];

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
 */
export async function releaseMemory({ rounds = 4, expectedBytes = 0 }: ReleaseOptions = {}): Promise<void> {
  const collect = collector();
  if (collect === undefined) return;
  const isWaitedFor = expectedBytes >= largeBytes;
  const waits: readonly number[] = [...Array<number>(rounds).fill(0), ...(isWaitedFor ? pauses : [])];
  let wasGone = false;
  for (const wait of waits) {
    // What has been awaited is let go a turn later. A collection that was under way keeps what it had marked by then,
    // and what the runtime's handles held is free for the one after. On a busy machine a compilation in the background
    // may hold for longer what the function that it compiles has seen.
    await (wait === 0 ? setImmediate() : setTimeout(wait));
    collect();
    // Arrays are given back by the collection after the one that found them.
    if (wasGone) return;
    wasGone = isWaitedFor && process.memoryUsage().arrayBuffers < expectedBytes / 2;
  }
}
