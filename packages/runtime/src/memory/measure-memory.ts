import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { RuntimeError } from "../runtime-error.js";
import type { SessionOptions } from "../session.js";
import type { MemoryReply, MemoryRequest, MemoryUse } from "./messages.js";
import type { SessionJob } from "./session-job.js";

/** A function to run in a fresh process. */
export interface MemoryJob {
  /** URL of the module that exports the function (`import.meta.resolve(…)`, `pathToFileURL(…).href`). */
  readonly module: string | URL;
  /** Name of the export. It may be async; what it returns is kept alive until memory is read. */
  readonly function: string;
  /** Passed to the function; anything that structured cloning carries (typed arrays and bigints too). */
  readonly argument?: unknown;
}

export interface MemoryOptions {
  /** Default 120 s. */
  readonly timeoutMs?: number;
}

const script = fileURLToPath(new URL("../../dist/memory/memory-child.js", import.meta.url));
const sessionJob = new URL("../../dist/memory/session-job.js", import.meta.url);

const failure = (what: string): RuntimeError =>
  new RuntimeError(
    "measurement-failed",
    `measureMemory: child process: result: expected figures, got: ${what}`,
  );

const answerOf = (child: ChildProcess, timeoutMs: number): Promise<MemoryUse> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(failure(`none within ${timeoutMs} ms`));
    }, timeoutMs);
    child.once("message", (message) => {
      const reply = message as MemoryReply;
      if (reply.kind === "failed") reject(failure(reply.message));
      else {
        const { residentBytes, peakBytes, baselineBytes } = reply;
        resolve({ residentBytes, peakBytes, baselineBytes });
      }
    });
    child.once("error", (cause) => reject(failure(cause.message)));
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      reject(failure(signal === null ? `exit code ${code}` : `end by ${signal}`));
    });
  });

/**
 * Measures the resident-set growth of a fresh process that runs one function.
 *
 * The process loads its code and the native library first; what the function then adds is counted. Figures vary by a
 * few megabytes between runs.
 *
 * @returns bytes
 * @throws RuntimeError `measurement-failed` when the function throws, does not exist, or the process ends or hangs.
 *
 * @example
 * ```ts
 * // tag-sample.js exports: async function tagSample({ model, words }) { … return tagger; }
 * const module = new URL("./tag-sample.js", import.meta.url);
 * const { residentBytes } = await measureMemory({ module, function: "tagSample", argument: { model, words } });
 * ```
 */
export const measureMemory = async (
  job: MemoryJob,
  { timeoutMs = 120_000 }: MemoryOptions = {},
): Promise<MemoryUse> => {
  const child = fork(script, [], {
    execArgv: ["--expose-gc"],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const request: MemoryRequest = {
    module: String(job.module),
    function: job.function,
    argument: job.argument,
  };
  const answer = answerOf(child, timeoutMs);
  child.send(request, (error) => {
    if (error !== null) child.kill();
  });
  return answer;
};

/**
 * Measures the memory that a model takes: a fresh process opens it and runs each feed once.
 *
 * @param model a path or bytes (bytes are counted too, since the process must hold them)
 * @throws RuntimeError `measurement-failed`.
 */
export const measureSessionMemory = (
  model: string | Uint8Array,
  feeds: SessionJob["feeds"],
  options: SessionOptions & MemoryOptions = {},
): Promise<MemoryUse> => {
  const { timeoutMs, ...sessionOptions } = options;
  const argument: SessionJob = { model, feeds, options: sessionOptions };
  return measureMemory(
    { module: sessionJob, function: "loadAndRun", argument },
    timeoutMs === undefined ? {} : { timeoutMs },
  );
};
