import type { ShardWorker } from "./worker.js";

/** Workers that start while the texts are still being read, so that they can begin when the plan is there. */
export interface PreparedWorkers {
  /** Starts as many as there will be; once. */
  prepare(): void;
  /** One that was started, or a new one. */
  take(): Promise<ShardWorker>;
  /** Ends those that nobody took. */
  close(): Promise<void>;
}

/** @param count workers that are started ahead: none where one does the work in this process */
export function prepareWorkers(count: number, open: () => Promise<ShardWorker>): PreparedWorkers {
  let waiting: Promise<ShardWorker>[] | undefined;
  return {
    prepare() {
      waiting ??= Array.from({ length: count }, open);
      // Whoever takes it hears of it.
      for (const one of waiting) one.catch(() => undefined);
    },
    take: () => waiting?.pop() ?? open(),
    async close() {
      const rest = waiting?.splice(0) ?? [];
      await Promise.all(rest.map(async (one) => (await one.catch(() => undefined))?.close()));
    },
  };
}
