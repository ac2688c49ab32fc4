import { AsyncLocalStorage } from "node:async_hooks";
import type { FoundForm, TextForm } from "@nasty/formats/text-form";
import { parseSaidForm, type SaidForm } from "./input-format.js";

/** What a text was taken for, as results say it. */
export interface ReadText {
  readonly path: string;
  readonly form: TextForm;
  /** What decided: the content, the name where that leaves it open, the command line, or nothing but the default. */
  readonly by: FoundForm["by"] | "option";
  readonly why: string;
}

/**
 * The texts of one operation: what they are said to be, and what they were taken for. Operations that run side by side
 * have one each.
 */
export class Reading {
  private readonly said: readonly SaidForm[];
  private readonly read: Map<string, ReadText>;
  private readonly doubts: Set<string>;

  /**
   * @param formats `conllu`, `columns` or `plain`, for all texts or, as `FILE=columns`, for one
   * @param of an operation that this one is a step of: what it knows holds here too, and it hears of all texts
   */
  constructor(formats: readonly string[] = [], of?: Reading) {
    this.said = [...(of?.said ?? []), ...formats.map(parseSaidForm)];
    this.read = of?.read ?? new Map<string, ReadText>();
    this.doubts = of?.doubts ?? new Set<string>();
  }

  /** What the person said that a text is; what is said of the file itself goes before what is said of all. */
  saidForm(path: string): TextForm | undefined {
    const ofFile = this.said.findLast((one) => one.path === path);
    return (ofFile ?? this.said.findLast((one) => one.path === undefined))?.form;
  }

  /** Takes down what a text was taken for, and why it might be meant otherwise. */
  add(text: ReadText, doubt?: string): void {
    this.read.set(text.path, text);
    if (doubt !== undefined) this.doubts.add(doubt);
  }

  /** The texts that were opened so far, once each. */
  get texts(): readonly ReadText[] {
    return [...this.read.values()];
  }

  /** Remarks about texts that might be taken otherwise, each given out once. */
  takeDoubts(): readonly string[] {
    const taken = [...this.doubts];
    this.doubts.clear();
    return taken;
  }
}

const current = new AsyncLocalStorage<Reading>();

/** Runs an operation with a reading of its own. */
export function withReading<T>(reading: Reading, operation: () => Promise<T>): Promise<T> {
  return current.run(reading, operation);
}

/** The reading of the operation that is running; outside of one, texts are read without a word. */
export function currentReading(): Reading {
  return current.getStore() ?? new Reading();
}
