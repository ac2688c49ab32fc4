import { ownWorker } from "./own-worker.js";

/** How far a task is; without a total nobody knows. */
export interface TaskProgress {
  readonly stage: string;
  readonly done?: number;
  readonly total?: number;
}

type Message<Result> =
  | { readonly kind: "progress"; readonly progress: TaskProgress }
  | { readonly kind: "done"; readonly result: Result }
  | { readonly kind: "failed"; readonly message: string };

/** A task in a worker of its own: cancelling it ends the worker, whatever it is doing, and frees its memory. */
export interface Task<Result> {
  readonly result: Promise<Result>;
  cancel(): void;
}

/** Why a task ended that was cancelled. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/** Asks a worker, which {@link serveTasks} made, one question. */
export function startTask<Result>(
  address: string,
  question: unknown,
  onProgress: (progress: TaskProgress) => void,
): Task<Result> {
  const worker = ownWorker(address);
  let cancel = (): void => {};
  const result = new Promise<Result>((resolve, reject) => {
    cancel = () => reject(new Cancelled("Cancelled."));
    worker.addEventListener("message", ({ data }: MessageEvent<Message<Result>>) => {
      if (data.kind === "progress") onProgress(data.progress);
      else if (data.kind === "done") resolve(data.result);
      else reject(new Error(data.message));
    });
    worker.addEventListener("error", ({ message }) =>
      reject(new Error(message || "The worker did not start.")),
    );
    worker.postMessage(question);
  }).finally(() => worker.terminate());
  return { result, cancel: () => cancel() };
}

/** Answers the questions of {@link startTask}, in a worker. */
export function serveTasks<Question, Result>(
  perform: (question: Question, onProgress: (progress: TaskProgress) => void) => Promise<Result>,
): void {
  const post = (message: Message<Result>): void => self.postMessage(message);
  self.addEventListener("message", ({ data }: MessageEvent<Question>) => {
    perform(data, (progress) => post({ kind: "progress", progress })).then(
      (result) => post({ kind: "done", result }),
      (error: unknown) =>
        post({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
    );
  });
}
