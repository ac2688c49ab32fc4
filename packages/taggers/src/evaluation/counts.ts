import { hyphenated, type LabelForm, makeSpanReader, type Span } from "@nasty/formats/iob";
import type { Task } from "../task.js";

/** Items (words, or entities) of one label: in the gold standard, in the prediction, and in both at the same place. */
export interface Counts {
  readonly gold: number;
  readonly predicted: number;
  readonly correct: number;
}

/** What a task is measured in. */
export type Metric = "accuracy" | "f1";

/** One label's figures; 0 where a denominator is 0, as conlleval prints it. */
export interface LabelRow {
  readonly label: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Items of this label in the gold standard. */
  readonly support: number;
  readonly predicted: number;
  readonly correct: number;
}

/** Collects counts sentence by sentence. */
export interface Counter {
  /** Counts one sentence; both lists have one label a word. */
  add(gold: readonly string[], predicted: readonly string[]): Counts;
  readonly total: Counts;
  rows(): LabelRow[];
}

export const metricOf = (task: Task): Metric => (task === "pos" ? "accuracy" : "f1");

const ratio = (numerator: number, denominator: number): number =>
  denominator === 0 ? 0 : numerator / denominator;

export const precisionOf = (c: Counts): number => ratio(c.correct, c.predicted);
export const recallOf = (c: Counts): number => ratio(c.correct, c.gold);

/** F1 = 2·correct / (gold + predicted), the harmonic mean of precision and recall. */
export const f1Of = (c: Counts): number => ratio(2 * c.correct, c.gold + c.predicted);

/** The task's figure, 0..1: accuracy = correct / gold words, or micro-averaged entity F1. */
export function valueOf(metric: Metric, counts: Counts): number {
  return metric === "accuracy" ? recallOf(counts) : f1Of(counts);
}

type MutableCounts = { -readonly [K in keyof Counts]: Counts[K] };

const zero = (): MutableCounts => ({ gold: 0, predicted: 0, correct: 0 });

/** How the entity labels of both sides are read. */
export interface CountedForms {
  readonly gold?: LabelForm | undefined;
  readonly predicted?: LabelForm | undefined;
  /** Compare where entities are, and not of which type. Default false. */
  readonly ignoreTypes?: boolean;
}

/**
 * A counter for one task: words with their label for `pos`; for `ner` entities with exact span and type, each side cut
 * by the rule of conlleval (a stray `I-` or a change of type starts an entity) from labels of its own form.
 */
export function makeCounter(task: Task, forms: CountedForms = {}): Counter {
  const total = zero();
  const byLabel = new Map<string, MutableCounts>();
  const countsOf = (label: string): MutableCounts => {
    let counts = byLabel.get(label);
    if (counts === undefined) byLabel.set(label, (counts = zero()));
    return counts;
  };
  const read = (form: LabelForm | undefined) =>
    task === "pos" ? wordItems : entityItems(form ?? hyphenated("BIOES"), forms.ignoreTypes === true);
  const [goldItemsOf, predictedItemsOf] = [read(forms.gold), read(forms.predicted)];

  return {
    total,
    add(gold, predicted) {
      const goldItems = goldItemsOf(gold);
      const predictedItems = predictedItemsOf(predicted);
      let correct = 0;
      for (const [place, label] of goldItems) {
        const counts = countsOf(label);
        counts.gold++;
        if (predictedItems.get(place) === label) {
          counts.correct++;
          correct++;
        }
      }
      for (const label of predictedItems.values()) countsOf(label).predicted++;
      total.gold += goldItems.size;
      total.predicted += predictedItems.size;
      total.correct += correct;
      return { gold: goldItems.size, predicted: predictedItems.size, correct };
    },
    rows: () =>
      [...byLabel]
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
        .map(([label, counts]) => ({
          label,
          precision: precisionOf(counts),
          recall: recallOf(counts),
          f1: f1Of(counts),
          support: counts.gold,
          predicted: counts.predicted,
          correct: counts.correct,
        })),
  };
}

function wordItems(labels: readonly string[]): Map<number | string, string> {
  return new Map(labels.entries());
}

function entityItems(form: LabelForm, ignoreTypes: boolean) {
  const spansOf: (labels: readonly string[]) => Span[] = makeSpanReader(form);
  return (labels: readonly string[]): Map<number | string, string> => {
    const items = new Map<number | string, string>();
    for (const { type, start, end } of spansOf(labels)) items.set(`${start}-${end}`, ignoreTypes ? "" : type);
    return items;
  };
}
