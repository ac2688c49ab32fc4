import { explain } from "../explanation/explain.js";
import type { Reply } from "./start-process.js";

/**
 * Makes this process a worker: it answers what its parent asks, one request after the other, until the parent is gone
 * or ends it.
 */
export function answerRequests<R>(answer: (request: R) => Promise<unknown>): void {
  const reply = async (request: R): Promise<Reply> => {
    try {
      return { kind: "done", answer: await answer(request) };
    } catch (error) {
      return { kind: "failed", explanation: explain(error) };
    }
  };
  process.on("message", (request: R) => {
    void reply(request).then((one) => process.send?.(one));
  });
  // Leaving removes what is unfinished. A parent that is gone, killed or not, wants no more.
  process.on("disconnect", () => process.exit());
  process.on("SIGTERM", () => process.exit(143));
  // A terminal tells every process; the parent decides.
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
}
