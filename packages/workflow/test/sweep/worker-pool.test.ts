import { describe, expect, it } from "vitest";
import type { CandidateTask, Outcome } from "../../src/sweep/candidate.js";
import type { CandidateWorker } from "../../src/sweep/worker.js";
import { WorkerEnded } from "../../src/workers/start-process.js";
import { openPool } from "../../src/sweep/worker-pool.js";

type Task = CandidateTask & { readonly number: number };

const tasks = (count: number): Task[] =>
  Array.from({ length: count }, (_, number) => ({ number }) as unknown as Task);
const done: Outcome = { kind: "refused", message: "done" };

/** Opens workers that do as they are told; counts those that are open. */
function workers(run: (task: Task, worker: number) => Promise<Outcome>) {
  const seen = { opened: 0, closed: 0, begun: 0, most: 0 };
  let running = 0;
  const open = async (): Promise<CandidateWorker> => {
    const worker = seen.opened++;
    return {
      begin: async () => void seen.begun++,
      async run(task) {
        seen.most = Math.max(seen.most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 1));
        return run(task as Task, worker).finally(() => running--);
      },
      close: async () => void seen.closed++,
    };
  };
  return { open, seen };
}

const collect = () => {
  const outcomes = new Map<number, Outcome>();
  const onOutcome = async ({ number }: Task, outcome: Outcome): Promise<void> => {
    outcomes.set(number, outcome);
  };
  return { outcomes, onOutcome };
};

describe("openPool", () => {
  it("does all tasks with as many workers as asked for, each told of the rung once", async () => {
    const { open, seen } = workers(async () => done);
    const pool = openPool(open, { size: 3, signal: undefined });
    const { outcomes, onOutcome } = collect();
    pool.begin({ stride: 1, reference: {} as never });
    await pool.run(tasks(20), onOutcome);
    expect([...outcomes.keys()].sort((a, b) => a - b)).toEqual(tasks(20).map(({ number }) => number));
    await pool.close();
    expect(seen).toEqual({ opened: 3, closed: 3, begun: 3, most: 3 });
  });

  it("gives the task of a worker that went away to another one", async () => {
    let isGone = false;
    const { open, seen } = workers(async ({ number }) => {
      if (number !== 2 || isGone) return done;
      isGone = true;
      throw new WorkerEnded("killed");
    });
    const { outcomes, onOutcome } = collect();
    await openPool(open, { size: 1, signal: undefined }).run(tasks(4), onOutcome);
    expect([outcomes.size, outcomes.get(2), seen.opened]).toEqual([4, done, 2]);
  });

  it("counts a task that ends its workers as failed, and goes on", async () => {
    const { open } = workers(async ({ number }) => {
      if (number === 1) throw new WorkerEnded("a worker process ended by SIGKILL");
      return done;
    });
    const { outcomes, onOutcome } = collect();
    await openPool(open, { size: 2, signal: undefined }).run(tasks(5), onOutcome);
    expect(outcomes.size).toBe(5);
    expect(outcomes.get(1)).toEqual({
      kind: "failed",
      message: "a worker process ended by SIGKILL, 2 times; give it more memory",
    });
  });

  it("ends with what is no fault of a recipe", async () => {
    const { open } = workers(async ({ number }) => {
      if (number === 1) throw new TypeError("a bug");
      return done;
    });
    const { outcomes, onOutcome } = collect();
    await expect(openPool(open, { size: 1, signal: undefined }).run(tasks(5), onOutcome)).rejects.toThrow(
      "a bug",
    );
    expect(outcomes.size).toBe(1);
  });

  it("ends on the signal, with its workers", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const { open, seen } = workers(async ({ number }) => {
      if (number === 1) controller.abort(reason);
      return done;
    });
    const { outcomes, onOutcome } = collect();
    const pool = openPool(open, { size: 1, signal: controller.signal });
    await expect(pool.run(tasks(5), onOutcome)).rejects.toBe(reason);
    expect(outcomes.size).toBeLessThan(3);
    expect(seen.closed).toBe(1);
  });
});
