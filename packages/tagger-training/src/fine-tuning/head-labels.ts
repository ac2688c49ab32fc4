import type { LabelForm } from "@nasty/formats/iob";
import { type LabelledSentence, TaggerError, type Task } from "@nasty/taggers";
import type { OpenBase } from "./base-model.js";
import { labelSetOf } from "./label-set.js";

export interface HeadChoice {
  readonly operation: string;
  readonly task: Task;
  /** Undefined: where the labels are the same. */
  readonly keepHead: boolean | undefined;
  /** Form of entity labels. */
  readonly form?: LabelForm | undefined;
}

/** The labels of a fine-tuned model, and the head that it starts from if that is the base's. */
export interface ChosenHead {
  readonly labels: readonly string[];
  readonly head: OpenBase["head"];
}

/**
 * Decides whether fine-tuning goes on with the base's head.
 *
 * By default it does where base and training text have the same labels. If it must (`keepHead: true`), labels that the
 * text lacks stay; if it must not, the head is fresh and its labels are those of the text.
 *
 * @throws TaggerError `labels` if the head must be kept and there is none, or if the text has labels that it lacks.
 */
export function chooseHead(
  base: Pick<OpenBase, "head" | "labels">,
  train: readonly LabelledSentence[],
  { operation, task, keepHead, form }: HeadChoice,
): ChosenHead {
  const own = labelSetOf(train, task, { operation, form });
  const kept = base.head === undefined ? undefined : base.labels;
  if (keepHead === undefined) {
    const isSame = kept?.length === own.length && own.every((label) => kept.includes(label));
    return isSame ? { labels: kept, head: base.head } : { labels: own, head: undefined };
  }
  if (!keepHead) return { labels: own, head: undefined };
  const used = new Set(train.flatMap(({ labels }) => labels));
  const missing = [...used].filter((label) => label !== "_" && kept?.includes(label) !== true);
  if (kept !== undefined && missing.length === 0) return { labels: kept, head: base.head };
  const got =
    kept === undefined ? "no linear head with labels" : `${kept.join(", ")} (without ${missing.join(", ")})`;
  throw new TaggerError(
    "labels",
    `${operation}: keepHead: labels of the base: expected all of ${own.join(", ")}, got ${got}`,
    { name: "keepHead" },
  );
}
