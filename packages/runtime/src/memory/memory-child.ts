// Run as a process of its own by `measureMemory`; talks through the channel of `fork`.
import { loadEngine } from "../engine/engine.js";
import type { MemoryReply, MemoryRequest } from "./messages.js";

const collectGarbage = (): void => (globalThis as { gc?: () => void }).gc?.();

/** What the function returned (a session, say), so that it is not collected before the figures are taken. */
export let keptAlive: unknown;

const measure = async (request: MemoryRequest): Promise<MemoryReply> => {
  await loadEngine();
  const module = (await import(request.module)) as Record<string, unknown>;
  const job = module[request.function];
  if (typeof job !== "function") {
    return { kind: "failed", message: `${request.module} has no function ${request.function}` };
  }
  collectGarbage();
  const baselineBytes = process.memoryUsage.rss();
  keptAlive = await job(request.argument);
  collectGarbage();
  const rss = process.memoryUsage.rss();
  // Since the start of the process, in kilobytes; the start itself is below the baseline.
  const highest = Math.max(rss, process.resourceUsage().maxRSS * 1024);
  return {
    kind: "measured",
    residentBytes: Math.max(0, rss - baselineBytes),
    peakBytes: Math.max(0, highest - baselineBytes),
    baselineBytes,
  };
};

const send = (reply: MemoryReply): void => {
  process.send?.(reply, () => process.exit(0));
};

process.once("message", (request) => {
  measure(request as MemoryRequest).then(send, (error: unknown) =>
    send({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
  );
});
