import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Collects garbage now: buffers of hundreds of megabytes are small objects to the collector, which would leave them until
 * long after the next allocation of that size.
 */
export function releaseMemory(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
