import type { ModelKindName } from "@nasty/taggers/texts";
import type { Verdict } from "../kinds/kind.js";
import { modelTable } from "../report/comparison-text.js";
import type { LabellingDocument } from "../report/labelling-text.js";
import type { BatchMates } from "./batch-mates.js";
import type { ComparedModel, Difference, Side } from "./compared-model.js";

/** What is compared, and on what. */
export interface ComparedKind {
  readonly kind: ModelKindName;
  readonly verdict: Verdict;
  /** Of taggers only. */
  readonly tokens: number | null;
  readonly task: "pos" | "ner" | null;
}

/** Models side by side on one text; as a text (`String(comparison)`) it is a table. */
export class Comparison {
  /** Of models that are no taggers. */
  declare readonly kind?: ModelKindName;
  /** Sentences, texts or other samples. */
  readonly examples: number;
  /** Null for models that are no taggers, as is all else that only taggers have. */
  readonly tokens: number | null;
  readonly task: "pos" | "ner" | null;
  readonly scheme: LabellingDocument["scheme"];
  readonly labelling: LabellingDocument | null;
  readonly goldLabelling: LabellingDocument | null;
  /** The first is what the others are compared with. */
  readonly models: readonly ComparedModel[];

  constructor({ kind, verdict, tokens, task }: ComparedKind, models: readonly ComparedModel[]) {
    if (kind !== "token-classification") this.kind = kind;
    this.examples = verdict.samples;
    this.tokens = tokens;
    this.task = task;
    this.labelling = verdict.labelling?.labelling ?? null;
    this.goldLabelling = verdict.labelling?.goldLabelling ?? null;
    this.scheme = this.labelling?.scheme ?? null;
    this.models = models;
  }

  toString(): string {
    return modelTable(this.models);
  }
}

/** A model and another form of it side by side. */
export class PairComparison extends Comparison {
  readonly original: Side;
  readonly quantized: Side;
  readonly summary: Difference;
  /** How much the labels of the other one depend on what shares a run; null for models that are no taggers. */
  readonly batchMates: BatchMates | null;
  /** Largest disagreement that was allowed, and what was found; only where one was given. */
  declare readonly maxDrift?: number;
  declare readonly agreement?: number;
  /** Whether it was kept to. */
  declare readonly passed?: boolean;

  constructor(first: ComparedKind, original: ComparedModel, quantized: Compared, judged?: Judged) {
    super(first, [original, quantized]);
    this.original = sideOf(original);
    this.quantized = sideOf(quantized);
    this.summary = quantized.summary;
    this.batchMates = quantized.batchMates;
    if (judged === undefined) return;
    this.maxDrift = judged.maxDrift;
    this.agreement = judged.agreement;
    this.passed = judged.passed;
  }
}

/** What a gate says of a pair. */
export interface Judged {
  readonly maxDrift: number;
  readonly agreement: number;
  readonly passed: boolean;
}

/** One that the first was compared with. */
export type Compared = ComparedModel & {
  readonly summary: Difference;
  readonly batchMates: BatchMates | null;
};

function sideOf({ path: _, summary: __, batchMates: ___, ...side }: ComparedModel): Side {
  return side;
}
