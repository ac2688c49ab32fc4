import type { PruningPlan } from "@nasty/compression";
import { UsageError } from "../errors.js";
import type { pruneOperation } from "../operations/prune.js";
import type { GivenBeside } from "../perform.js";
import { parseSource } from "../texts/calibration-sources.js";
import { isText } from "../texts/text.js";

/** What a program says of a pruning. */
export type PruneOptions = GivenBeside<typeof pruneOperation.options, "model"> & {
  /** What `prune.plan` gave, in place of the options that say what to remove. */
  readonly plan?: PruningPlan | undefined;
};

/** Options that a plan has decided. */
const decided = [
  "sparsity",
  "structured",
  "heads",
  "neurons",
  "scope",
  "layers",
  "vocabulary",
  "skipLayers",
  "on",
] as const satisfies readonly (keyof PruneOptions)[];

/**
 * The options as the schema of the operation has them: a recovery without a text of its own trains on the one that
 * importance is measured on.
 *
 * @throws UsageError for a recovery without any text or with a choice of several, and for options that contradict the
 *   plan
 */
export function schemaOptions({ plan, ...options }: PruneOptions): Omit<PruneOptions, "plan"> {
  const given = withRecoveryText(options, plan !== undefined);
  if (plan === undefined) return given;
  checkPlan(plan);
  for (const name of decided) {
    if (given[name] === undefined) continue;
    throw new UsageError(`prune: ${name}: expected none beside plan, which says what is removed, got both`);
  }
  return given;
}

function withRecoveryText(
  options: Omit<PruneOptions, "plan">,
  isPlanned: boolean,
): Omit<PruneOptions, "plan"> {
  const { recover, on, structured, heads, neurons } = options;
  // What is no object is for the schema to refuse.
  if (typeof recover !== "object" || recover === null || recover.on !== undefined) return options;
  const texts = on === undefined ? [] : Array.isArray(on) ? on : [on];
  if (texts.length !== 1) {
    throw new UsageError(
      `prune: recover.on: expected the text to train on, got none, and ${texts.length === 0 ? "none" : texts.length} in on to take it from`,
    );
  }
  const isMeasured = !isPlanned && (structured === true || heads !== undefined || neurons !== undefined);
  const whole = wholeText(texts[0]);
  if (isMeasured && whole === "-") {
    throw new UsageError(
      "prune: recover.on: expected a file to train on (standard input is read once, to measure importance), got none",
    );
  }
  const { on: _on, ...rest } = options;
  return { ...rest, recover: { ...recover, on: whole }, ...(isMeasured && { on }) };
}

/** All of a text: a number of sentences is for importance. */
function wholeText<T>(given: T): T | string {
  if (typeof given === "string") return parseSource(given).path;
  return isText(given) ? given.path : given;
}

/** A plan may have been stored as JSON, or edited. */
function checkPlan(plan: unknown): void {
  const lists = ["tensors", "heads", "neurons", "layers", "notPruned", "warnings"] as const;
  const found = typeof plan === "object" && plan !== null ? (plan as Partial<PruningPlan>) : {};
  const wrong =
    found.schemaVersion !== 1
      ? "schemaVersion"
      : typeof found.options !== "object"
        ? "options"
        : lists.find((name) => !Array.isArray(found[name]));
  if (wrong === undefined) return;
  throw new UsageError(`prune: plan: expected what prune.plan gives, got other data (see ${wrong})`);
}
