import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Collects garbage now: buffers of hundreds of megabytes are small objects to the collector, which would leave them until
 * long after the next allocation of that size.
 */
export async function releaseMemory(): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // What has been awaited is let go a turn later.
  await setImmediate();
  collect();
  // A collection that was under way keeps what it had marked by then.
  collect();
}
