/** Where something is written in a recipe: line and column from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Texts that a recipe may name. */
export const dataNames = ["train", "validation", "test", "calibration", "unlabelled"] as const;

export type DataName = (typeof dataNames)[number];

/**
 * A share of a text, spread evenly over it; `2/3` is `{ from: 2, to: 2, of: 3 }`, `1-2/3` has twice as many sentences.
 */
export interface TextPart {
  readonly from: number;
  readonly to: number;
  readonly of: number;
}

/** One text of the data section. */
export interface RecipeText {
  /** As written: a path (relative to the recipe), or a word that the caller knows, such as `sample`. */
  readonly file: string;
  /**
   * Of each `of` sentences in a row those from number `from` to `to` (from 1): parts of one text that do not overlap.
   */
  readonly part?: TextPart;
  /** Sentences of it, where not all are wanted (calibration). */
  readonly count?: number;
  readonly at: Position;
}

export type RecipeData = Readonly<Partial<Record<DataName, readonly RecipeText[]>>>;

/** A written option: what a flag says, or a value as the command line would have it. */
export type OptionValue = boolean | string | readonly string[];

export type StepOptions = Readonly<Record<string, OptionValue>>;

/** One step as written. */
export interface RecipeStep {
  /** From 1. */
  readonly number: number;
  readonly kind: string;
  readonly options: StepOptions;
  readonly at: Position;
  readonly optionsAt: Readonly<Record<string, Position>>;
}

/** A word of a recipe, and where it stands. */
export interface RecipeWord {
  readonly text: string;
  readonly at: Position;
}

/** A recipe that has been read and checked against the steps that there are. */
export interface Recipe {
  /** As messages name it. */
  readonly name: string;
  readonly model: string;
  readonly modelAt: Position;
  /**
   * What the model labels, and how its labels mark entities, where the recipe says it; for whoever runs it to
   * understand.
   */
  readonly task: RecipeWord | undefined;
  readonly scheme: RecipeWord | undefined;
  readonly data: RecipeData;
  readonly steps: readonly RecipeStep[];
}

/** An option of a step. */
export interface OptionSchema {
  /** As a recipe writes it. */
  readonly name: string;
  /** `flag`: true or false; `value`: one; `list`: one or several; `data`: the name of a text of the data section. */
  readonly takes: "flag" | "value" | "list" | "data";
  /** What is wrong with a value, as `expected …`; undefined for a good one. */
  readonly check?: (value: string) => string | undefined;
}

/** A text that a step reads. */
export interface DataNeed {
  readonly name: DataName;
  /** Whether the step cannot do without. */
  readonly isRequired: boolean;
  /** What it is for, for the message when it is missing. */
  readonly purpose: string;
}

/** A kind of step: what may be written for it, and what it reads. */
export interface StepSchema {
  readonly name: string;
  readonly options: readonly OptionSchema[];
  /** Texts that the step reads when it has these options, beside those that `data` options name. */
  readonly needs?: (options: StepOptions) => readonly DataNeed[];
}
