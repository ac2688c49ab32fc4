import type { TimeShares } from "@nasty/compression";
import type { Audit } from "@nasty/runtime";
import type { BatchMates } from "../comparison/batch-mates.js";
import type { DriftCheck } from "../drift/drift-check.js";
import type { Gate } from "./gate.js";
import { type AppliedReport } from "./planned.js";
import type { SensitivityRow } from "./sensitivity.js";
import type { Written } from "../files/candidate.js";

/** What `nasty quantize` found, as its JSON and its report have it. */
export interface QuantizationResult extends AppliedReport {
  readonly model: string;
  /** Null where nothing was written: the gate refused the model. */
  readonly output: Written | null;
  readonly modelBytes: number;
  readonly mode: string;
  readonly method: string;
  /** Null on WebAssembly, which does not tell what it executes. */
  readonly audit:
    | (Audit & {
        /** Estimated shares of the time of matrix products, by kind of kernel. */
        readonly timeShares: TimeShares;
      })
    | null;
  readonly gate: Gate | null;
  /** How far the written file's outputs are from the original's. */
  readonly drift: DriftCheck;
  /** How much labels depend on what shares a run; null without text to try it on. */
  readonly batchMates: BatchMates | null;
  /** What each weight costs by itself, most sensitive first; null if it was not measured. */
  readonly sensitivity: readonly SensitivityRow[] | null;
}
