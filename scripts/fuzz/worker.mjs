// Runs cases of one kind, one after the other; says before each which it is, so that a hang or a death has a number.
import { createHash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { mixWords, seededRandom } from "../../packages/core/dist/index.js";
import { openSubjects } from "./subjects.mjs";

const { kind, seed, from, to, progress } = workerData;
const { make, run } = (await openSubjects())[kind];
const current = new Int32Array(progress);
const digest = createHash("sha256");
/** Cases that were refused by the reader itself; the others went on to the steps. */
let refused = 0;

/** Errors of the packages carry this; anything else that is thrown is a fault of ours. */
const isTyped = (error) => error?.kind === "input";

const bytesOf = (input) =>
  input instanceof Uint8Array
    ? input
    : JSON.stringify(input, (_, value) => (typeof value === "bigint" ? String(value) : value));

for (let number = from; number < to; number++) {
  Atomics.store(current, 0, number);
  Atomics.add(current, 1, 1);
  const input = make(seededRandom(mixWords(seed, number)));
  digest.update(String(bytesOf(input)));
  let isFirst = true;
  const attempt = async (step) => {
    try {
      return await step();
    } catch (error) {
      if (!isTyped(error))
        parentPort.postMessage({ fault: { number, reason: String(error?.stack ?? error) } });
      if (isFirst) refused++;
      return undefined;
    } finally {
      isFirst = false;
    }
  };
  // A promise may not be waited for between the steps of a reader: the attempts are the only places where a case can
  // fail.
  try {
    await run(input, attempt);
  } catch (error) {
    parentPort.postMessage({ fault: { number, reason: String(error?.stack ?? error) } });
  }
  if (number % 1000 === 999) globalThis.gc?.();
}
Atomics.store(current, 0, to);
globalThis.gc?.();
parentPort.postMessage({
  done: { refused, heap: process.memoryUsage().heapUsed, digest: digest.digest("hex") },
});
