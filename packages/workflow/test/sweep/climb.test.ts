import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { reporterOf } from "../../src/reporter.js";
import type { Candidate, Judged } from "../../src/sweep/candidate.js";
import { climb } from "../../src/sweep/climb.js";
import { ladderOf } from "../../src/sweep/ladder.js";
import type { WorkerPool } from "../../src/sweep/worker-pool.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-climb-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Losses of a recipe and the upper ends of their intervals, one a rung. */
type Losses = readonly (readonly [loss: number, high: number])[];

/** Recipes of one size that do as they are told, on 8 samples in two rungs. */
function climbing(losses: Readonly<Record<string, Losses>>, isContinued = false) {
  const asked: string[] = [];
  const candidates = Object.keys(losses).map(
    (name) =>
      ({ name, steps: [{ kind: "quantize", options: { name } }], group: "static" }) as unknown as Candidate,
  );
  let stride = 0;
  const pool: WorkerPool = {
    begin: (rung) => void (stride = rung.stride),
    async run(tasks, onOutcome) {
      for (const task of tasks) {
        const { name } = (task as unknown as { climber: { candidate: Candidate } }).climber.candidate;
        asked.push(`${name} ${stride}`);
        const [loss, high] = losses[name]![stride === 1 ? 1 : 0]!;
        const judged: Judged = { samples: 8 / stride, value: 1 - loss, loss, low: 0, high, flips: 1 };
        const file = { path: join(folder, `${name}.onnx`), bytes: 1000, sha256: name };
        await onOutcome(task, { kind: "done", file, judged });
      }
    },
    close: async () => {},
  };
  const samples = Array.from({ length: 8 }, (_, i) => i);
  const ask = async () => ({ metric: "accuracy", value: 1 }) as never;
  const job = { ladder: ladderOf(8, 2), samples, ask, pool, folder, maxLoss: 0.1, isContinued };
  return { asked, done: climb(candidates, job, reporterOf({})) };
}

const losses: Readonly<Record<string, Losses>> = {
  lucky: [
    [0, 0.03],
    [0, 0],
  ],
  steady: [
    [0.01, 0.02],
    [0.004, 0.01],
  ],
  steadier: [
    [0.01, 0.01],
    [0.005, 0.006],
  ],
  bad: [
    [0.05, 0.09],
    [0, 0],
  ],
};

it("goes by the upper end of a loss before the last rung, and by the loss at it", async () => {
  const { asked, done } = climbing(losses);
  const { climbers, rungs } = await done;
  expect(asked).toEqual(["lucky 2", "steady 2", "steadier 2", "bad 2", "steady 1", "steadier 1"]);
  expect(rungs.map(({ recipes, ended }) => [recipes, ended])).toEqual([
    [4, 2],
    [2, 1],
  ]);
  expect(climbers.map(({ ended }) => ended?.message)).toEqual([
    "no smaller than one that may lose no more (at most 1.00 points): quantize name=steadier",
    undefined,
    "no smaller than one that loses no more: quantize name=steady",
    "no smaller than one that may lose no more (at most 1.00 points): quantize name=steadier",
  ]);
});

it("asks nothing again that is written down, and does not believe what is damaged", async () => {
  await climbing(losses).done;
  expect((await readdir(folder)).sort()).toEqual(["bad.json", "lucky.json", "steadier.json", "steady.json"]);
  const again = climbing(losses, true);
  expect((await again.done).rungs).toEqual((await climbing(losses, true).done).rungs);
  expect(again.asked).toEqual([]);
  await writeFile(join(folder, "bad.json"), "{");
  const text = await readFile(join(folder, "steady.json"), "utf8");
  await writeFile(join(folder, "steady.json"), text.replace('"loss":0.004', '"loss":"0"'));
  await writeFile(join(folder, "lucky.json"), text);
  const mended = climbing(losses, true);
  await mended.done;
  expect(mended.asked).toEqual(["lucky 2", "steady 2", "bad 2", "steady 1"]);
});
