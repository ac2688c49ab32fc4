import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseJson } from "@nasty/formats/json";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import * as v from "valibot";
import { InputError } from "../errors.js";
import { checkFolder } from "../files/output-path.js";
import type { FoundInput } from "./find-inputs.js";
import { isFinished } from "./shard-files.js";
import { manifestName, PlanSchema, type ShardPlan, type ShardSettings } from "./shard.js";

const planName = "plan.json";

/** The plan in a folder; undefined where there is none. */
export async function readPlan(folder: string): Promise<ShardPlan | undefined> {
  const path = join(folder, planName);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (bytes === undefined) return undefined;
  let content: unknown;
  try {
    content = parseJson(bytes.toString("utf8"));
  } catch (cause) {
    throw damaged(path, (cause as Error).message, cause);
  }
  const result = v.safeParse(PlanSchema, content);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw damaged(path, `${v.getDotPath(issue) ?? "content"}: ${issue.message}`);
}

function damaged(path: string, why: string, cause?: unknown): InputError {
  return new InputError(
    `tag: ${path}: expected a plan of shards, got something else (${why}); remove the file to plan again, or name another folder`,
    { cause },
  );
}

/**
 * Refuses a folder that is neither new, empty, nor one of an earlier run; says what plan it has.
 *
 * @param mustExist whether a run is to be gone on with
 */
export async function openFolder(folder: string, mustExist: boolean): Promise<ShardPlan | undefined> {
  await checkFolder("--output", folder);
  // In this order: another process may be writing its plan.
  const names = await readdir(folder).catch(() => []);
  const plan = await readPlan(folder);
  if (plan === undefined && mustExist) {
    throw new InputError(
      `tag: --resume: ${folder}: expected the plan of an earlier run, got none; leave out --resume to begin`,
    );
  }
  const visible = names.filter((name) => !name.startsWith("."));
  if (plan === undefined && visible.length > 0) {
    throw new InputError(
      `tag: --output ${folder}: expected an empty folder, or one of an earlier run, got ${visible[0]} in it; name another folder`,
    );
  }
  return plan;
}

/** Makes the folder, and puts the plan there unless the same is there. */
export async function writePlan(
  folder: string,
  plan: ShardPlan,
  before: ShardPlan | undefined,
): Promise<void> {
  if (before !== undefined && isSamePlan(plan, before)) return;
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, planName), [Buffer.from(`${JSON.stringify(plan)}\n`)]);
}

function isSamePlan(a: ShardPlan, b: ShardPlan): boolean {
  const comparable = ({ inputs, ...plan }: ShardPlan): string =>
    JSON.stringify({ ...plan, inputs: inputs.map((input) => ({ ...input, modified: 0 })) });
  return comparable(a) === comparable(b);
}

/** Whether a plan was made of these very files: then they need not be read to make it again. */
export async function isPlanOf(
  plan: ShardPlan,
  inputs: readonly FoundInput[],
  settings: ShardSettings,
): Promise<boolean> {
  if (settingsDifference(plan.settings, settings) !== undefined) return false;
  if (plan.inputs.length !== inputs.length) return false;
  for (const [index, { path, name }] of inputs.entries()) {
    const planned = plan.inputs[index];
    const { size, mtimeMs } = await stat(path).catch(() => ({ size: -1, mtimeMs: -1 }));
    if (planned?.error !== undefined || planned?.name !== name) return false;
    if (planned.bytes !== size || planned.modified !== mtimeMs) return false;
  }
  return true;
}

/** What differs between two settings, for a message. */
export function settingsDifference(before: ShardSettings, now: ShardSettings): string | undefined {
  const flat = ({ versions, ...settings }: ShardSettings): Record<string, unknown> => ({
    ...settings,
    ...versions,
  });
  const [a, b] = [flat(before), flat(now)];
  const shown = (value: unknown): string => (value === undefined ? "none" : String(value).slice(0, 16));
  const key = [...new Set([...Object.keys(a), ...Object.keys(b)])].find((one) => a[one] !== b[one]);
  return key === undefined ? undefined : `${key} ${shown(a[key])} there, ${shown(b[key])} now`;
}

/**
 * Compares a folder's plan with the one that is wanted now.
 *
 * A text may have changed, or be readable now, where not all of its shards are there: the user has mended it. Nothing
 * that is finished is given up.
 *
 * @returns names of shards that are no longer wanted
 * @throws InputError with what differs
 */
export async function checkSamePlan(
  folder: string,
  before: ShardPlan,
  now: ShardPlan,
): Promise<readonly string[]> {
  const differs = (what: string): InputError =>
    new InputError(
      `tag: --output ${folder}: expected the plan of the run that is there, got another: ${what}; give the same options and texts, or name another folder`,
    );
  const settings = settingsDifference(before.settings, now.settings);
  if (settings !== undefined) throw differs(settings);
  if (before.inputs.length !== now.inputs.length) {
    throw differs(`${before.inputs.length} texts there, ${now.inputs.length} now`);
  }
  const dropped: string[] = [];
  const [was, is] = [shardNames(before), shardNames(now)];
  for (const [index, { name }] of now.inputs.entries()) {
    const old = before.inputs[index];
    if (old?.name !== name) throw differs(`text ${index + 1} is ${old?.name} there, ${name} now`);
    const [oldNames, names] = [was[index] as string[], is[index] as string[]];
    if (oldNames.join() === names.join()) continue;
    const finished = await Promise.all(oldNames.map((one) => isFinished(folder, one)));
    if (oldNames.length > 0 && !finished.includes(false))
      throw differs(`${name} has changed, and is done there`);
    const kept = new Set(names);
    dropped.push(...oldNames.filter((one) => !kept.has(one)));
  }
  return dropped;
}

function shardNames({ inputs, shards }: ShardPlan): string[][] {
  const names = inputs.map((): string[] => []);
  for (const { input, name } of shards) names[input]?.push(name);
  return names;
}

/** Removes what is no longer wanted. */
export async function dropShards(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await rm(join(folder, manifestName(name)), { force: true });
    await rm(join(folder, name), { force: true });
  }
}
