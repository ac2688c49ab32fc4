import { CompressionError } from "../compression-error.js";

/** A file or folder and what is in it. */
export interface Artifact {
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
}

/** What a task's metric says of a model. */
export interface Score {
  readonly metric: string;
  /** 0 to 1. */
  readonly value: number;
  /** What an interval of a difference is computed from; only its maker reads it. */
  readonly counts?: unknown;
}

/** Speed and memory of a model, measured beside the others of the pipeline. */
export interface Figures {
  readonly msPerSentence: {
    readonly p50: number;
    readonly p95: number;
    readonly mean: number;
    readonly ci95: readonly [number, number];
  };
  readonly memoryBytes: number;
}

/**
 * A step that is done, and what identifies the work: the same input, options, data and versions have the same
 * fingerprint.
 */
export interface FinishedStep {
  readonly fingerprint: string;
  /** Null for a step that writes nothing. */
  readonly output: Artifact | null;
  /** Whether the next step works on this output; else on what this step worked on. */
  readonly isModel: boolean;
  /** What the step said of itself. */
  readonly result: unknown;
  readonly seconds: number;
}

/** What a pipeline remembers between runs. */
export interface PipelineState {
  readonly schemaVersion: 1;
  readonly steps: readonly FinishedStep[];
  /** Fingerprint of a step that had begun and not ended. */
  readonly running: string | null;
  /** By model and text. */
  readonly scores: Readonly<Record<string, Score>>;
  /** Figures of the models of one run, measured together. */
  readonly measured: { readonly key: string; readonly figures: readonly Figures[] } | null;
}

export const noState: PipelineState = {
  schemaVersion: 1,
  steps: [],
  running: null,
  scores: {},
  measured: null,
};

/**
 * Reads what {@link serializePipelineState} wrote.
 *
 * @param name of the file, for messages
 * @throws CompressionError `invalid-state` for anything else
 */
export function parsePipelineState(text: string, name: string): PipelineState {
  const refuse = (got: string, cause?: unknown): CompressionError =>
    new CompressionError(
      "invalid-state",
      `parsePipelineState: ${name}: expected the state of a pipeline (schemaVersion 1), got ${got}; remove the file or run with --fresh`,
      cause === undefined ? {} : { cause },
    );
  let value: Partial<PipelineState> | null;
  try {
    value = JSON.parse(text) as Partial<PipelineState> | null;
  } catch (cause) {
    throw refuse("text that is not JSON", cause);
  }
  if (typeof value !== "object" || value === null) throw refuse(String(value));
  if (value.schemaVersion !== 1) throw refuse(`schemaVersion ${String(value.schemaVersion)}`);
  const { steps, running = null, scores = {}, measured = null } = value;
  if (!Array.isArray(steps) || !steps.every(isFinishedStep)) throw refuse("steps of another form");
  return { schemaVersion: 1, steps, running, scores, measured };
}

function isFinishedStep(step: unknown): step is FinishedStep {
  const { fingerprint, output, isModel } = (step ?? {}) as Partial<FinishedStep>;
  const isOutput = output === null || (typeof output?.path === "string" && typeof output.sha256 === "string");
  return typeof fingerprint === "string" && typeof isModel === "boolean" && isOutput;
}

export function serializePipelineState(state: PipelineState): string {
  return `${JSON.stringify(state)}\n`;
}
