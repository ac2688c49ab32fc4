import type { Counts, LabelledSentence, LabelRow } from "@nasty/taggers";
import { type ClassifierSettings, labelScores, largestAt } from "@nasty/taggers/texts";
import { InputError } from "../errors.js";
import { always, meanOf, pairedLoss, spearmanOf, type Statistic } from "./bootstrap.js";
import type { Against, OutputAgreement, Verdict } from "./kind.js";
import { outputAgreement } from "./output-agreement.js";
import type { LabelledText } from "./text-samples.js";

/** What a classifier said to texts. */
export interface ClassVerdict extends Verdict {
  /** Scores of each text, one a label. */
  readonly rows: readonly Float32Array[];
  readonly perLabel: readonly LabelRow[];
}

/** What is right for a text: the places of its labels, or a number. */
type Gold = ReadonlySet<number> | number;

/**
 * Judges what a classifier said: accuracy where each text has one label, F1 over pairs of text and label where it may
 * have several, Spearman's correlation of numbers.
 *
 * @param rows numbers of each text before softmax, one a label
 * @throws InputError for labels that the model has not, and where only some texts have one
 */
export function classVerdict(
  rows: readonly Float32Array[],
  texts: readonly LabelledText[],
  settings: ClassifierSettings,
  { path, reference }: { readonly path: string; readonly reference?: ClassVerdict | undefined },
): ClassVerdict {
  const gold = goldOf(texts, settings, path);
  const measured = gold === undefined ? undefined : metricOf(rows, gold, settings);
  return {
    samples: texts.length,
    metric: measured?.metric ?? null,
    value: measured?.statistic() ?? Number.NaN,
    ...(measured?.macroF1 !== undefined && { figures: { macroF1: measured.macroF1 } }),
    perLabel: measured?.perLabel ?? [],
    rows,
    against: reference && againstOf(rows, reference, { texts, settings, gold }),
  };
}

function goldOf(
  texts: readonly LabelledText[],
  { labels, problem }: ClassifierSettings,
  path: string,
): readonly Gold[] | undefined {
  const places = new Map(labels.map((label, at) => [label, at]));
  const placeOf = (label: string | number, where: string): number => {
    const found = places.get(String(label)) ?? (/^\d+$/.test(String(label)) ? Number(label) : -1);
    if (found >= 0 && found < labels.length) return found;
    throw new InputError(
      `read ${path}: ${where}: label: expected one of ${labels.join(", ")} (the model's labels), got ${JSON.stringify(label)}`,
    );
  };
  const isNumber = problem === "regression";
  const answered = texts.filter(
    ({ label, score }) => label !== undefined || (isNumber && score !== undefined),
  );
  if (answered.length === 0) return undefined;
  return texts.map(({ label, score, place }): Gold => {
    if (isNumber) {
      const right = score ?? (Array.isArray(label) ? Number.NaN : Number(label));
      if (Number.isFinite(right)) return right;
    } else if (label !== undefined) {
      const all = Array.isArray(label) ? (label as (string | number)[]) : [label as string | number];
      if (problem === "multi-label" || all.length === 1)
        return new Set(all.map((one) => placeOf(one, place)));
    }
    const expected = isNumber ? "a number" : problem === "multi-label" ? "labels" : "one label";
    throw new InputError(
      `read ${path}: ${place}: label: expected ${expected} for every text, got ${label === undefined ? "none" : JSON.stringify(label)}`,
    );
  });
}

/** The labels that a classifier gives a text. */
function predicted(row: Float32Array, { problem }: ClassifierSettings): ReadonlySet<number> {
  if (problem !== "multi-label") return new Set([largestAt(row)]);
  const chosen = new Set<number>();
  // A probability of a half is a number of 0.
  row.forEach((x, at) => {
    if (x > 0) chosen.add(at);
  });
  return chosen;
}

interface Measured {
  readonly metric: string;
  readonly statistic: Statistic;
  readonly macroF1?: number;
  readonly perLabel: readonly LabelRow[];
}

function metricOf(
  rows: readonly Float32Array[],
  gold: readonly Gold[],
  settings: ClassifierSettings,
): Measured {
  if (settings.problem === "regression") {
    const said = rows.map((row) => row[0] as number);
    return { metric: "spearman", statistic: spearmanOf(said, gold as readonly number[]), perLabel: [] };
  }
  const right = gold as readonly ReadonlySet<number>[];
  const said = rows.map((row) => predicted(row, settings));
  const counts = said.map((labels, i): Counts => {
    const own = right[i] as ReadonlySet<number>;
    return {
      gold: own.size,
      predicted: labels.size,
      correct: [...labels].filter((one) => own.has(one)).length,
    };
  });
  const perLabel = labelRows(said, right, settings.labels);
  const seen = perLabel.filter(({ support, predicted: times }) => support + times > 0);
  const macroF1 = meanOf(seen.map(({ f1 }) => f1))();
  return settings.problem === "multi-label"
    ? { metric: "f1", statistic: microF1(counts), macroF1, perLabel }
    : { metric: "accuracy", statistic: meanOf(counts.map(({ correct }) => correct)), macroF1, perLabel };
}

/** 2·correct / (gold + predicted) over all labels of all texts. */
const microF1 =
  (counts: readonly Counts[]): Statistic =>
  (drawn) => {
    let [correct, all] = [0, 0];
    for (let i = 0; i < counts.length; i++) {
      const one = counts[drawn === undefined ? i : (drawn[i] as number)] as Counts;
      correct += one.correct;
      all += one.gold + one.predicted;
    }
    return all === 0 ? 0 : (2 * correct) / all;
  };

function labelRows(
  said: readonly ReadonlySet<number>[],
  right: readonly ReadonlySet<number>[],
  labels: readonly string[],
): LabelRow[] {
  const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return labels.map((label, at) => {
    const support = right.filter((one) => one.has(at)).length;
    const times = said.filter((one) => one.has(at)).length;
    const correct = said.filter((one, i) => one.has(at) && right[i]?.has(at) === true).length;
    return {
      label,
      precision: ratio(correct, times),
      recall: ratio(correct, support),
      f1: ratio(2 * correct, support + times),
      support,
      predicted: times,
      correct,
    };
  });
}

function againstOf(
  rows: readonly Float32Array[],
  before: ClassVerdict,
  {
    texts,
    settings,
    gold,
  }: {
    readonly texts: readonly LabelledText[];
    readonly settings: ClassifierSettings;
    readonly gold: readonly Gold[] | undefined;
  },
): Against {
  const named = (row: Float32Array): string =>
    settings.problem === "regression"
      ? (row[0] as number).toPrecision(4)
      : [...predicted(row, settings)].map((at) => settings.labels[at]).join(" ");
  const [from, to] = [before.rows.map(named), rows.map(named)];
  const kept = from.map((label, i) => Number(label === to[i]));
  const isNumber = settings.problem === "regression";
  const agreement = isNumber
    ? spearmanOf(
        before.rows.map((row) => row[0] as number),
        rows.map((row) => row[0] as number),
      )
    : meanOf(kept);
  const samples = rows.length;
  const losses = (one: Statistic, other: Statistic, seed: number) =>
    pairedLoss(one, other, { samples, seed, isSlow: isNumber });
  const scores = (all: readonly Float32Array[]) =>
    all.map((row) => Float32Array.from(labelScores(row, settings)));
  const output: OutputAgreement = outputAgreement(
    "scores",
    scores(before.rows),
    scores(rows),
    settings.labels.length,
  );
  return {
    flips: isNumber
      ? []
      : kept.flatMap((same, i) =>
          same === 1 ? [] : [{ sentence: i, word: 0, original: from[i] as string, changed: to[i] as string }],
        ),
    shown: texts.map(
      ({ text, pair, label }): LabelledSentence => ({
        words: [shownText(text, pair)],
        labels: [label === undefined ? "" : [label].flat().join(" ")],
      }),
    ),
    agreement: agreement(),
    agreementOf: isNumber ? "Spearman's correlation" : "labels kept",
    figures: {
      ...(isNumber ? { spearman: agreement() } : { top1: agreement() }),
      outputs: [output],
    },
    loss(seed) {
      if (gold === undefined) return { loss: Number.NaN, low: Number.NaN, high: Number.NaN };
      return losses(
        metricOf(before.rows, gold, settings).statistic,
        metricOf(rows, gold, settings).statistic,
        seed,
      );
    },
    drift: (seed) => losses(always(1), agreement, seed),
  };
}

/** A text on one line without tabs, for lists. */
export const shownText = (text: string, pair?: string): string =>
  [text, ...(pair === undefined ? [] : [pair])].map((one) => one.replace(/\s+/gu, " ").trim()).join(" ‖ ");
