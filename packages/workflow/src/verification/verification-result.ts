import type { FirstDifference } from "./first-difference.js";
import type { OutputError } from "./output-error.js";

/**
 * What an engine did with the file.
 *
 * `agrees`: computed what it should. `departs`: computed something else. `lacks`: its version has no kernel for a form
 * in the file. `fails`: it has, and cannot load or run the file all the same. `missing`: it is not on this machine.
 */
export type EngineStatus = "agrees" | "departs" | "lacks" | "fails" | "missing";

/** What one engine makes of the file. */
export interface EngineVerdict {
  readonly name: string;
  /** Null where the engine is missing. */
  readonly version: string | null;
  /** Whether the engine is on this machine. */
  readonly available: boolean;
  readonly status: EngineStatus;
  /** Why it is missing, lacks something or fails. */
  readonly reason?: string;
  /**
   * Largest |a − b| of all outputs: a the original's, or without one the reference's; null where nothing was computed,
   * or a value is not finite. So are those that follow.
   */
  readonly maxError: number | null;
  /** The largest √(Σ(a − b)² / Σa²) of an output. */
  readonly relativeError: number | null;
  /** The smallest Σab / √(Σa²·Σb²) of an output. */
  readonly cosine: number | null;
  /** √(Σ(a − b)² / Σa²) with a of the engine that is the reference; null of the reference itself. */
  readonly engineError: number | null;
  /** Words or texts with another label than the original, or without one the reference, gives them. */
  readonly flips?: number;
  readonly outputs: readonly OutputError[];
  /** The first node whose value departs; null where none does. */
  readonly firstDifference: FirstDifference | null;
}

/** A layer of the file that does not do what the original's does, whatever engine runs it. */
export interface BrokenLayer {
  readonly node: string;
  readonly operator: string;
  readonly weights: readonly string[];
  readonly output: string;
  /** Signal-to-noise ratio of what the layer gives, in decibels; null for −∞. */
  readonly sqnrDb: number | null;
  /** What weights of that many bits leave at least. */
  readonly minSqnrDb: number;
  /** The same of what goes into it; null for values that are equal. */
  readonly inputSqnrDb: number | null;
}

/** What `verify --json` prints. */
export interface VerificationResult {
  readonly model: string;
  readonly original: string | null;
  /** What was run: sentences or texts, inputs that were given, or inputs made from the graph's own types. */
  readonly ranOn: "text" | "given" | "made";
  readonly batches: number;
  /** Words that were tagged, or texts that were classified; null for models that give no labels. */
  readonly words: number | null;
  /** Largest relative error of an output between two engines. */
  readonly tolerance: number;
  /** Smallest cosine similarity of an output to the original's; null without an original. */
  readonly minCosine: number | null;
  /** The engine that the others are compared with. */
  readonly reference: string | null;
  readonly engines: readonly EngineVerdict[];
  /** Null where all layers do what they should, or there is no original to tell. */
  readonly brokenLayer: BrokenLayer | null;
  readonly passed: boolean;
}
