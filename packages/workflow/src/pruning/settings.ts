import type { PruningPlan } from "@nasty/compression";
import { UsageError } from "../errors.js";
import type { pruneOperation } from "../operations/prune.js";
import type { SettingsOf } from "../schema/option.js";
import { parseSource } from "../texts/calibration-sources.js";

/** The options of a pruning, checked one by one. */
export type PruneSettings = SettingsOf<typeof pruneOperation.options>;

/** How a pruned model is trained on. */
export interface Recovery {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
}

/** `gradual`: elements go step by step while the model trains; `one-shot`: all at once before it. */
export type PruningSchedule = "gradual" | "one-shot";

/** What the options come to together. */
export interface PruningRequest {
  /** Whether whole heads and neurons go, rather than single elements. */
  readonly isStructured: boolean;
  /** Whether labelled text takes part: entity labels may then be in the scheme of the text. */
  readonly isJudged: boolean;
  readonly recovery: Recovery;
  readonly schedule: PruningSchedule;
  /** Texts that are read, by path. */
  readonly texts: readonly (string | undefined)[];
}

/**
 * Checks the options against each other.
 *
 * @param plan says what goes in place of the options
 * @throws UsageError for one that does nothing without another, or contradicts it
 */
export function pruningRequest(settings: PruneSettings, plan?: PruningPlan): PruningRequest {
  const { data, train, validation, vocabulary, targetAccuracyLoss } = settings;
  const isStructured = structureOf(settings);
  if (data.length > 0 && !isStructured) {
    throw new UsageError("prune: --data: expected --structured with it (magnitudes need no data), got none");
  }
  if (targetAccuracyLoss !== undefined && validation === undefined) {
    throw new UsageError("prune: --target-accuracy-loss: expected --validation with it, got none");
  }
  if (plan === undefined) checkShares(settings, isStructured);
  const recovery = recoveryOf(settings);
  return {
    isStructured,
    isJudged: validation !== undefined || train !== undefined || data.length > 0,
    recovery,
    schedule: scheduleOf(settings, isStructured, plan),
    texts: [train, validation, vocabulary, ...pathsOf(data)],
  };
}

/** Paths of texts that are named with or without a number of sentences. */
export function pathsOf(texts: readonly string[]): readonly string[] {
  return texts.map((text) => parseSource(text).path);
}

/** A share of heads or neurons says by itself that they go as wholes. */
function structureOf({ structured, heads, neurons }: PruneSettings): boolean {
  const hasShare = heads !== undefined || neurons !== undefined;
  if (structured === false && hasShare) {
    throw new UsageError(
      "prune: structured: expected no false beside heads or neurons (they are removed as wholes), got false",
    );
  }
  return structured === true || hasShare;
}

/** What to remove must be said. */
function checkShares(
  { sparsity, heads, neurons, layers, vocabulary }: PruneSettings,
  isStructured: boolean,
): void {
  if ([sparsity, heads, neurons, layers, vocabulary].some((value) => value !== undefined)) return;
  const where = isStructured ? "--structured: expected --sparsity, --heads or --neurons with it" : undefined;
  throw new UsageError(
    `prune: ${where ?? "expected --sparsity, --heads, --neurons, --layers or --vocabulary"}, got none`,
  );
}

/** How to train on, if there is text for it; settings of a training that does not happen would do nothing. */
function recoveryOf({ train, epochs, batchSize, learningRate }: PruneSettings): Recovery {
  const given = { "--epochs": epochs, "--batch-size": batchSize, "--learning-rate": learningRate };
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined || train !== undefined) continue;
    throw new UsageError(`prune: ${option}: expected --train with it, got none`);
  }
  return { epochs: epochs ?? 2, batchSize: batchSize ?? 16, learningRate: learningRate ?? 3e-4 };
}

/** Single elements go while the model trains, what changes shapes goes before it. */
function scheduleOf(
  { schedule, train, sparsity, layers, vocabulary }: PruneSettings,
  isStructured: boolean,
  plan: PruningPlan | undefined,
): PruningSchedule {
  if (schedule !== undefined && train === undefined) {
    throw new UsageError("prune: --schedule: expected --train with it, got none");
  }
  if (schedule === "gradual" && plan !== undefined) {
    throw new UsageError(
      "prune: recover.schedule: expected one-shot beside a plan (a gradual pruning chooses anew while it trains), got gradual",
    );
  }
  const changesShapes =
    isStructured || layers !== undefined || vocabulary !== undefined || sparsity === undefined;
  if (schedule === "gradual" && changesShapes) {
    throw new UsageError(
      "prune: --schedule gradual: expected --sparsity of single elements alone, got --structured, --layers or --vocabulary",
    );
  }
  return schedule ?? (changesShapes ? "one-shot" : "gradual");
}
