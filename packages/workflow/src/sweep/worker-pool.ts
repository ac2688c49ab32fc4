import type { CandidateTask, Outcome } from "./candidate.js";
import { WorkerEnded } from "../workers/start-process.js";
import type { BegunRung, CandidateWorker } from "./worker.js";

/** Workers that take tasks in turn. */
export interface WorkerPool {
  begin(rung: BegunRung): void;
  /**
   * Does all tasks, in any order; `onOutcome` is called as they are done, one at a time.
   *
   * A task whose worker went away is given to another one, once; then it counts as failed.
   *
   * @throws the signal's reason; what a worker throws beside {@link WorkerEnded}
   */
  run<T extends CandidateTask>(
    tasks: readonly T[],
    onOutcome: (task: T, outcome: Outcome) => Promise<void>,
  ): Promise<void>;
  close(): Promise<void>;
}

/** Times that a task is begun before it counts as one that ends its workers. */
const mostTries = 2;

/** @param open makes a worker; called when there is work for it, and again for one that went away */
export function openPool(
  open: () => Promise<CandidateWorker>,
  { size, signal }: { readonly size: number; readonly signal: AbortSignal | undefined },
): WorkerPool {
  interface Place {
    worker: CandidateWorker | undefined;
    rung: BegunRung | undefined;
  }
  const places: Place[] = Array.from({ length: size }, () => ({ worker: undefined, rung: undefined }));
  let rung: BegunRung | undefined;

  const close = async (): Promise<void> => {
    await Promise.all(places.map(({ worker }) => worker?.close()));
    for (const place of places) place.worker = place.rung = undefined;
  };
  const attempt = async (place: Place, task: CandidateTask): Promise<Outcome> => {
    place.worker ??= await open();
    signal?.throwIfAborted();
    if (rung !== undefined && place.rung !== rung) await place.worker.begin(rung);
    place.rung = rung;
    return place.worker.run(task);
  };
  const outcomeOf = async (place: Place, task: CandidateTask): Promise<Outcome> => {
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(place, task);
      } catch (error) {
        if (!(error instanceof WorkerEnded)) throw error;
        signal?.throwIfAborted();
        place.worker = place.rung = undefined;
        if (tries < mostTries) continue;
        return { kind: "failed", message: `${error.message}, ${mostTries} times; give it more memory` };
      }
    }
  };
  return {
    begin(begun) {
      rung = begun;
    },
    async run(tasks, onOutcome) {
      const left = [...tasks];
      let told = Promise.resolve();
      let failure: { readonly error: unknown } | undefined;
      const work = async (place: Place): Promise<void> => {
        while (failure === undefined) {
          const task = left.shift();
          if (task === undefined) return;
          try {
            signal?.throwIfAborted();
            const outcome = await outcomeOf(place, task);
            told = told.then(() => onOutcome(task, outcome));
            await told;
          } catch (error) {
            failure ??= { error };
          }
        }
      };
      // Workers that are busy end at once, what they do is of no use any more.
      const end = (): void => void close();
      signal?.addEventListener("abort", end);
      try {
        await Promise.all(places.map(work));
      } finally {
        signal?.removeEventListener("abort", end);
      }
      signal?.throwIfAborted();
      if (failure !== undefined) throw failure.error;
    },
    close,
  };
}
