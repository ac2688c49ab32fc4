import {
  type FoundForm,
  findForm,
  type FindFormOptions,
  findFormOfSentences,
  foreignLabels,
  isHelperLabel,
  formInScheme,
  type LabelForm,
  type LabelScheme,
  labelReader,
  outside,
  schemeName,
  typesOf,
} from "@nasty/formats/iob";
import { TaggerError } from "./tagger-error.js";

/** What a tagger says about words: parts of speech, or named entities as labels of a scheme (`B-PER`, `I-PER`, `O`). */
export type Task = "pos" | "ner";

/** What labels are said to be, where that is not left to be seen from them. */
export interface LabelChoice {
  readonly task?: Task | undefined;
  /** Only entities have one, so it chooses the task `ner`. */
  readonly scheme?: LabelScheme | undefined;
}

/** What labels are taken for, and why. */
export interface Labelling {
  readonly task: Task;
  /** Null for parts of speech. */
  readonly scheme: LabelScheme | null;
  /** How entity labels are spelled; undefined for parts of speech. */
  readonly form: LabelForm | undefined;
  readonly reason: string;
  /** Whether the labels could be meant otherwise too; `reason` says how. */
  readonly isAmbiguous: boolean;
  /** Labels that the scheme does not know, such as `[SEP]`: words with them are outside of entities. */
  readonly foreign: readonly string[];
  /** Entity types, sorted; "" for labels without a type. */
  readonly types: readonly string[];
}

/** Who said what the labels are: the labels themselves, the model file, or its user. */
export type DecidedBy = "labels" | "model" | "choice";

const reasons: Readonly<Record<Exclude<DecidedBy, "labels">, string>> = {
  model: "the model file says so",
  choice: "as asked for",
};

/**
 * Decides what a set of labels stands for: the one place where it is decided.
 *
 * What is chosen holds; the rest is seen from the labels, see `findForm` of @nasty/formats/iob. A model for entities
 * may have labels that name types only: where the task `ner` is chosen and `O` is among them, they are IO.
 *
 * @param decidedBy who made the choice, for the reason
 * @param where what has the labels, for messages
 * @throws TaggerError `labels` if the labels are not of the scheme that was chosen, or have none although they are said
 *   to be of entities; `option` for parts of speech with a scheme
 * @example
 * ```ts
 * labellingOf(["O", "B-PER", "I-PER", "[SEP]"]).foreign; // ["[SEP]"]
 * ```
 */
export function labellingOf(
  labels: readonly string[],
  { task, scheme }: LabelChoice = {},
  decidedBy: DecidedBy = "choice",
  where?: string,
): Labelling {
  checkChoice({ task, scheme }, where);
  const chosen = decidedBy === "labels" ? undefined : reasons[decidedBy];
  if (scheme !== undefined) {
    if (!labels.some((label) => label !== outside && !isHelperLabel(label))) {
      return {
        ...described(labels, { form: undefined, reason: chosen ?? "", isAmbiguous: false }),
        task: "ner",
      };
    }
    const form = formInScheme(labels, scheme);
    if (form === undefined) throw notOfScheme(labels, scheme, where);
    return described(labels, { form, reason: chosen ?? "", isAmbiguous: false });
  }
  const found = findForm(labels, { areEntities: task === "ner" });
  if (task === undefined) return described(labels, found);
  if (task === "pos") return described(labels, { form: undefined, reason: chosen ?? "", isAmbiguous: false });
  const form = found.form ?? (labels.includes(outside) ? formInScheme(labels, "IO") : undefined);
  if (form === undefined && labels.some((label) => label !== outside && !isHelperLabel(label)))
    throw notOfScheme(labels, undefined, where);
  const reason = `${chosen ?? ""}; ${found.form === undefined ? "the labels are names of types alone" : found.reason}`;
  return {
    ...described(labels, { form, reason, isAmbiguous: false }),
    task: "ner",
  };
}

function checkChoice({ task, scheme }: LabelChoice, where?: string): void {
  if (task !== "pos" || scheme === undefined) return;
  throw new TaggerError(
    "option",
    `${placed(where)}scheme: expected none for parts of speech (only entities have one), got ${scheme}`,
    { name: "scheme" },
  );
}

function described(labels: readonly string[], { form, reason, isAmbiguous }: FoundForm): Labelling {
  return {
    task: form === undefined ? "pos" : "ner",
    scheme: form === undefined ? null : schemeName(form),
    form,
    reason,
    isAmbiguous,
    foreign: form === undefined ? [] : foreignLabels(labels, form),
    types: form === undefined ? [] : typesOf(labels, form),
  };
}

const examples: Readonly<Record<LabelScheme, string>> = {
  IOB1: "B-PER or I-PER",
  IOB2: "B-PER or I-PER",
  BIOES: "E-PER or S-PER beside B-PER",
  BMES: "M-PER, E-PER or S-PER beside B-PER",
  IO: "PER or I-PER",
  untyped: "B and I alone",
};

const placed = (where: string | undefined): string => (where === undefined ? "" : `${where}: `);

function notOfScheme(
  labels: readonly string[],
  scheme: LabelScheme | undefined,
  where: string | undefined,
): TaggerError {
  const expected =
    scheme === undefined
      ? "those of entities, such as B-PER, I-PER and O"
      : `those of ${scheme}, such as ${examples[scheme]}`;
  const advice = scheme === undefined ? "; if each is the name of an entity type, the scheme is IO" : "";
  return new TaggerError(
    "labels",
    `${placed(where)}labels: expected ${expected}, got ${listed(labels)}${advice}`,
    {
      name: "scheme",
    },
  );
}

/** The first of many. */
function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, 12).join(", ");
  return labels.length > 12 ? `${shown}, … (${labels.length} in all)` : shown || "none";
}

/**
 * {@link labellingOf} of labelled sentences: a scheme that is not theirs is left aside, since it may be that of the
 * model beside them.
 *
 * @throws TaggerError `option`, as {@link labellingOf}
 */
export function labellingOfSentences(
  sentences: readonly (readonly string[])[],
  { task, scheme, types }: LabelChoice & FindFormOptions = {},
): Labelling {
  checkChoice({ task, scheme });
  const labels = [...new Set(sentences.flat())];
  if (task === "pos") {
    return described(labels, { form: undefined, reason: reasons.choice, isAmbiguous: false });
  }
  const found = findFormOfSentences(sentences, {
    scheme,
    areEntities: task === "ner",
    ...(types === undefined ? {} : { types }),
  });
  if (found.form !== undefined || task !== "ner") return described(labels, found);
  const form = labels.includes(outside) ? formInScheme(labels, "IO") : undefined;
  return { ...described(labels, { ...found, form }), task };
}

/**
 * Words of one label each, of which those foreign to the scheme are outside of entities.
 *
 * @returns a function of a label that gives it back, or `O`
 */
export function entityLabels({ form }: Pick<Labelling, "form">): (label: string) => string {
  if (form === undefined) return (label) => label;
  const read = labelReader(form);
  return (label) => (read(label) === undefined ? outside : label);
}

/**
 * The task that a label set belongs to, as {@link labellingOf} decides it.
 *
 * @example
 * ```ts
 * taskOf(["O", "B-PER", "I-PER"]); // "ner"
 * ```
 */
export function taskOf(labels: readonly string[]): Task {
  return labellingOf(labels).task;
}
