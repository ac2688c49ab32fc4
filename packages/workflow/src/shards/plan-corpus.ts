import { defaultModelPath } from "../models/default-model.js";
import type { tagCorpusOperation } from "../operations/tagging.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { checkCompression } from "./compress-shard.js";
import { findInputs, type FoundInput } from "./find-inputs.js";
import {
  checkSamePlan,
  dropShards,
  isPlanOf,
  openFolder,
  settingsDifference,
  writePlan,
} from "./plan-file.js";
import { planShards } from "./plan-shards.js";
import { hashOfTagger, versionsOf } from "./settings-identity.js";
import type { ShardPlan, ShardSettings } from "./shard.js";

/** What decides on the shards of a corpus, however they are then done. */
type Settings = Omit<SettingsOf<typeof tagCorpusOperation.options>, "workers" | "shard" | "failFast">;

/** A corpus that is cut into shards, with the plan in its folder. */
export interface PlannedCorpus {
  readonly plan: ShardPlan;
  /** Paths of the plan's inputs, in their order. */
  readonly paths: readonly string[];
}

/**
 * Finds the texts, cuts them into shards, and puts the plan into the folder; where it is there already, of these texts
 * and options, nothing is read.
 *
 * @param onCut hears of each shard that a new plan gets, as it is found
 * @throws InputError for a folder that has another plan, or anything else in it; UsageError for texts that are none
 */
export async function planCorpus(
  settings: Settings,
  reporter: Reporter,
  given: readonly string[],
  onCut?: () => void,
): Promise<PlannedCorpus> {
  const { output, resume = false } = settings;
  checkCompression(settings.compress);
  const before = await openFolder(output, resume);
  const inputs = await findInputs(given, output);
  const plan = await planFor(settings, { reporter, inputs, before, onCut });
  return { plan, paths: inputs.map(({ path }) => path) };
}

interface Planning {
  readonly reporter: Reporter;
  readonly inputs: readonly FoundInput[];
  readonly before: ShardPlan | undefined;
  readonly onCut: (() => void) | undefined;
}

/** The plan of the folder where it is of these texts and options, otherwise a new one, which is put there. */
async function planFor(
  settings: Settings,
  { reporter, inputs, before, onCut }: Planning,
): Promise<ShardPlan> {
  const { output } = settings;
  const wanted = await shardSettings(settings);
  if (before !== undefined && (await isPlanOf(before, inputs, wanted))) return before;
  const plan = await planShards(inputs, wanted, reporter, onCut);
  const dropped = before === undefined ? [] : await checkSamePlan(output, before, plan);
  await writePlan(output, plan, before);
  await dropShards(output, dropped);
  return plan;
}

/**
 * What a plan's settings would be on this machine: with another model or version they differ, and so might the labels.
 *
 * @returns what differs, in words; undefined where nothing does
 */
export async function differenceHere(
  planned: ShardSettings,
  model: string | undefined,
): Promise<string | undefined> {
  return settingsDifference(planned, {
    ...planned,
    model: await hashOfTagger(model ?? defaultModelPath(planned.task ?? "pos")),
    versions: versionsOf(planned),
  });
}

async function shardSettings(settings: Settings): Promise<ShardSettings> {
  const { model, task, scheme, format, compress, threads } = settings;
  const { onePerLine = false, exactBatches = false, shardWords = 100_000 } = settings;
  return {
    model: await hashOfTagger(model ?? defaultModelPath(task ?? "pos")),
    ...(task !== undefined && { task }),
    ...(scheme !== undefined && { scheme }),
    ...(format !== undefined && { format }),
    ...(compress !== undefined && { compress }),
    onePerLine,
    exactBatches,
    threads,
    shardWords,
    versions: versionsOf({ format, compress }),
  };
}
