import { rm } from "node:fs/promises";
import { InputError } from "../errors.js";
import type { Labelled, Verdict } from "../kinds/kind.js";
import { isUnchanged } from "../recipes/artifact.js";
import type { Reporter } from "../reporter.js";
import { type Candidate, type CandidateTask, type Judged, type Outcome, stepsText } from "./candidate.js";
import { type Ending, endingsOf, type Standing } from "./halving.js";
import { type Rung, samplesOfRung } from "./ladder.js";
import { type CandidateRecord, readRecord, writeRecord } from "./record.js";
import type { RecipeEnd, SweepResult } from "./sweep-result.js";
import type { WorkerPool } from "./worker-pool.js";

/** A recipe on its way. */
export interface Climber {
  readonly candidate: Candidate;
  record: CandidateRecord;
  /** Undefined while it goes on. */
  ended: RecipeEnd | undefined;
}

interface ClimbJob {
  readonly ladder: readonly Rung[];
  readonly samples: readonly Labelled[];
  /** What the original says to some samples. */
  readonly ask: (rung: Rung, samples: readonly Labelled[]) => Promise<Verdict>;
  readonly pool: WorkerPool;
  /** Of the recipes' files and records. */
  readonly folder: string;
  readonly maxLoss: number;
  /** Whether records of an earlier run count. */
  readonly isContinued: boolean;
}

/** Where all recipes are at the end. */
export interface Climbed {
  readonly climbers: readonly Climber[];
  readonly rungs: SweepResult["rungs"];
  /** What the original said to all samples. */
  readonly reference: Verdict;
}

/**
 * Takes recipes up the rungs: all are judged on the first, those that go on are judged on the next, with more of the
 * text. What is known of a recipe is written down as it is found, so that a run that ended early goes on.
 *
 * @throws InputError if no recipe can be carried out
 */
export async function climb(
  candidates: readonly Candidate[],
  job: ClimbJob,
  reporter: Reporter,
): Promise<Climbed> {
  const { ladder, samples, folder, maxLoss } = job;
  const climbers: Climber[] = [];
  for (const candidate of candidates) {
    const nothing = { file: undefined, refused: undefined, judged: {} };
    const record = job.isContinued ? await readRecord(folder, candidate.name) : nothing;
    climbers.push({ candidate, record, ended: undefined });
  }
  const rungs: SweepResult["rungs"][number][] = [];
  let reference: Verdict | undefined;
  for (const rung of ladder) {
    const going = climbers.filter(({ ended }) => ended === undefined);
    const isLast = rung.stride === 1;
    const open = going.filter(({ record }) => record.refused === undefined && !isJudged(record, rung));
    if (open.length > 0 || isLast) {
      reference = await job.ask(rung, samplesOfRung(samples, rung));
      await judgeAll(open, { ...job, rung, reference }, reporter);
    }
    refuse(going, rung);
    const standings = climbers.flatMap((climber, place) => standingOf(climber, { rung, place }));
    if (climbers.every(({ ended }) => ended?.reason === "failed")) throw noneMade(climbers);
    const endings = endingsOf(standings, { maxLoss, isLast });
    for (const climber of going) {
      const ending = endings.get(climber.candidate.name);
      if (ending === undefined) continue;
      climber.ended = endOf(ending, climber, { rung, climbers, maxLoss });
      await removeFile(climber);
    }
    const ended = going.filter((climber) => climber.ended !== undefined).length;
    rungs.push({ rung: rung.number, samples: rung.samples, recipes: going.length, ended });
  }
  if (reference === undefined) throw new TypeError("sweep: no rung");
  return { climbers, rungs, reference };
}

const isJudged = ({ judged }: CandidateRecord, { stride }: Rung): boolean =>
  Object.hasOwn(judged, String(stride));

/** What a recipe did on a rung. */
export function judgedOn({ judged }: CandidateRecord, { stride }: Rung): Judged | undefined {
  return judged[String(stride)];
}

type Task = CandidateTask & { readonly climber: Climber };

const taskOf = (climber: Climber, isAsked: boolean): Task => ({
  climber,
  step: climber.candidate.last,
  input: climber.candidate.input,
  file: climber.record.file,
  isJudged: isAsked,
});

async function judgeAll(
  open: readonly Climber[],
  { pool, rung, reference, ladder, folder }: ClimbJob & { readonly rung: Rung; readonly reference: Verdict },
  { progress }: Reporter,
): Promise<void> {
  if (open.length === 0) return;
  pool.begin({ stride: rung.stride, reference });
  const title = `rung ${rung.number} of ${ladder.length}: ${open.length} recipes on ${rung.samples} samples`;
  progress.start(title, open.length);
  let done = 0;
  try {
    await pool.run(
      open.map((climber) => taskOf(climber, true)),
      async ({ climber }, outcome) => {
        await take(climber, outcome, { rung, folder });
        progress.update(++done);
      },
    );
  } finally {
    progress.stop();
  }
}

/** Makes the files of the last recipes again, where they are gone. */
export async function restoreFiles(
  climbers: readonly Climber[],
  { pool, folder }: Pick<ClimbJob, "pool" | "folder">,
  rung: Rung,
): Promise<void> {
  const gone: Climber[] = [];
  for (const climber of climbers) {
    const { file } = climber.record;
    if (file === undefined || !(await isUnchanged(file))) gone.push(climber);
  }
  await pool.run(
    gone.map((climber) => taskOf(climber, false)),
    async ({ climber }, outcome) => {
      await take(climber, outcome, { rung, folder });
      if (climber.ended !== undefined) throw new InputError(climber.ended.message);
    },
  );
}

/** Keeps what a worker found. */
async function take(
  climber: Climber,
  outcome: Outcome,
  { rung, folder }: { readonly rung: Rung; readonly folder: string },
): Promise<void> {
  const { record, candidate } = climber;
  switch (outcome.kind) {
    case "failed":
      // Not written down: another run may have more memory, or a disk with room.
      climber.ended = { rung: rung.number, reason: "failed", by: null, message: outcome.message };
      return;
    case "refused":
      climber.record = { ...record, refused: outcome.message };
      break;
    case "done": {
      const { file, judged } = outcome;
      const all = judged === undefined ? record.judged : { ...record.judged, [rung.stride]: judged };
      climber.record = { ...record, file, judged: all };
      break;
    }
    default:
      outcome satisfies never;
  }
  await writeRecord(folder, candidate.name, climber.record);
}

function refuse(going: readonly Climber[], rung: Rung): void {
  for (const climber of going) {
    const { refused } = climber.record;
    if (refused === undefined || climber.ended !== undefined) continue;
    climber.ended = { rung: rung.number, reason: "refused", by: null, message: refused };
  }
}

function standingOf(
  { candidate, record, ended }: Climber,
  { rung, place }: { readonly rung: Rung; readonly place: number },
): Standing[] {
  const judged = judgedOn(record, rung);
  if (ended !== undefined || judged === undefined || record.file === undefined) return [];
  const { name, group } = candidate;
  const { loss, low, high, flips } = judged;
  const compared = rung.stride === 1 ? loss : high;
  return [{ name, place, group, bytes: record.file.bytes, loss: compared, low, flips }];
}

function noneMade(climbers: readonly Climber[]): InputError {
  const [first] = climbers;
  const said = first && `${stepsText(first.candidate.steps)}: ${first.ended?.message}`;
  return new InputError(
    `sweep: expected at least 1 recipe that can be carried out, got none of ${climbers.length}; the first: ${said}`,
  );
}

interface EndContext {
  readonly rung: Rung;
  readonly climbers: readonly Climber[];
  readonly maxLoss: number;
}

function endOf(ending: Ending, { record }: Climber, { rung, climbers, maxLoss }: EndContext): RecipeEnd {
  const points = (share: number): string => (share * 100).toFixed(2);
  if (ending.reason === "lossy") {
    const { loss = 0, low = 0 } = judgedOn(record, rung) ?? {};
    return {
      rung: rung.number,
      reason: "lossy",
      by: null,
      message: `loses ${points(loss)} points, surely ${points(low)} or more; at most ${points(maxLoss)} are of use`,
    };
  }
  const better = climbers.find(({ candidate }) => candidate.name === ending.by);
  const named = stepsText(better?.candidate.steps ?? []);
  const high = better && judgedOn(better.record, rung)?.high;
  const message =
    rung.stride === 1
      ? `no smaller than one that loses no more: ${named}`
      : `no smaller than one that may lose no more (at most ${points(high ?? 0)} points): ${named}`;
  return { rung: rung.number, reason: "beaten", by: ending.by, message };
}

/** Files of recipes that go no further are of no use. */
async function removeFile({ record: { file } }: Climber): Promise<void> {
  if (file === undefined) return;
  await rm(file.path, { force: true });
  await rm(`${file.path}.data`, { force: true });
}
