import { stat } from "node:fs/promises";
import { qat, requiredAgreement, type Provenance } from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import {
  evaluate,
  flips,
  makeSequenceTagger,
  makeTransformerTagger,
  openNeuralTagger,
  type Tagger,
  type TaggerSettings,
  withTagger,
} from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";
import { checkDrift, type DriftCheck, type DriftJob, leastCosine } from "../drift/drift-check.js";
import { driftSample } from "../drift/drift-sample.js";
import { GateError } from "../errors.js";
import { collectAll } from "../texts/collect-all.js";
import { readLabelled } from "../texts/labelled-text.js";
import { writeCandidate, type Written } from "../files/candidate.js";
import { formatPercent } from "../report/format.js";

/**
 * The quantized file of a quantization-aware training, and how it was proved; a model for other operations where it
 * passed.
 */
export type TrainedExport = (KeptExport | RefusedExport) & ExportFindings;

interface KeptExport extends Written {
  readonly passed: true;
}

/** A file that does not label as, or compute what, the training's graph did: it is not kept. */
interface RefusedExport {
  readonly path: null;
  readonly bytes: null;
  readonly sha256: null;
  readonly passed: false;
}

interface ExportFindings {
  readonly bits: 8 | 4;
  readonly activations: string;
  /** Accuracy or entity F1 of the file on the validation text; null without one. */
  readonly value: number | null;
  /** Words of that text whose label is that of the graph that was trained; null without it. */
  readonly agreement: {
    readonly words: number;
    readonly same: number;
    readonly share: number;
    readonly required: number;
  } | null;
  /**
   * How far the file's outputs are from those of the graph that was trained; null for a file that was refused by them.
   */
  readonly drift: DriftCheck | null;
  /** Why the outputs were refused: judged where no labels are. */
  readonly refusal: string | null;
}

export interface ExportJob {
  /** The float model with the record of its training. */
  readonly model: ModelProto;
  readonly settings: TaggerSettings;
  readonly output: string;
  /** Path of labelled text. */
  readonly validation: string | undefined;
  /** Sentences to run the file and the training's graph on; inputs are made where there are none. */
  readonly words: readonly (readonly string[])[];
  /** Outputs less alike are refused, unless labels were compared. Default 0.9, 0.8 in 4 bits. */
  readonly minCosine?: number | undefined;
  readonly threads: number;
  readonly provenance: Provenance;
  /** Share of words that must be labelled as by the training's graph. Default 99.9 %. */
  readonly required?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes what a model was trained to become, and keeps the file if it labels as the training's graph does.
 *
 * @returns undefined for a model that was not trained for quantization
 */
export async function exportTrained(job: ExportJob): Promise<TrainedExport | undefined> {
  const { model, settings, output, validation, provenance, required = requiredAgreement } = job;
  const record = qat.record(model);
  if (record === undefined || !record.fakeQuantize) return undefined;
  const { model: quantized } = await qat.apply(model, await qat.plan(model), { provenance });
  const candidate = await writeCandidate(output, await withTagger(quantized, settings));
  try {
    // The file carries its tagger: it is opened as anybody would.
    const written = await openTagger(candidate.path, { threads: job.threads });
    let measured: Measured = { value: null, agreement: null };
    try {
      if (validation !== undefined && validation !== "-")
        measured = await compared(written, { ...job, validation, required });
    } finally {
      await written.close();
    }
    const { bits, activationMode: activations } = record;
    const drifted = await driftOf(job, { path: candidate.path, bits, isJudged: measured.agreement !== null });
    const passed = drifted.refusal === null && (measured.agreement?.share ?? 1) >= required;
    const found = { bits, activations, ...measured, ...drifted };
    if (passed) return { ...(await candidate.commit()), passed, ...found };
    await candidate.discard();
    return { path: null, bytes: null, sha256: null, passed, ...found };
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

/** Runs the written file beside the training's graph; what it is refused for is said at the end of the command. */
async function driftOf(
  { model, settings, words, minCosine, threads, output }: ExportJob,
  { path, bits, isJudged }: { readonly path: string; readonly bits: 8 | 4; readonly isJudged: boolean },
): Promise<Pick<ExportFindings, "drift" | "refusal">> {
  const { size: modelBytes } = await stat(path);
  const job: DriftJob = {
    operation: "quantized file",
    path: output,
    original: qat.simulate(model),
    likeness: "the trained graph",
    sample: await driftSample({ modelBytes, model, tagger: settings }, words),
    minCosine: minCosine ?? leastCosine[bits === 4 ? "int4" : "int8"],
    threads,
    isJudged,
    outcome: "it was not kept, the float model is",
    advice: () =>
      "quantize that with calibration data, or lower --min-cosine if the difference is acceptable",
  };
  try {
    return { drift: await checkDrift(job, path), refusal: null };
  } catch (error) {
    if (error instanceof GateError) return { drift: null, refusal: error.message };
    throw error;
  }
}

type Measured = Pick<ExportFindings, "value" | "agreement">;

/** What {@link compared} needs of a job. */
interface Comparison extends Pick<ExportJob, "model" | "settings" | "threads" | "signal"> {
  readonly validation: string;
  readonly required: number;
}

async function compared(
  written: Tagger,
  { model, settings, validation, threads, required, signal }: Comparison,
): Promise<Measured> {
  const sentences = await collectAll(readLabelled(validation, settings.task));
  const trained = await openModel(qat.simulate(model), settings, threads);
  try {
    // The activations of a dynamic model depend on what shares a run.
    const options = { path: validation, batchSize: 1, signal };
    const after = await evaluate(written, sentences, options);
    const before = await evaluate(trained, sentences, options);
    const words = after.tokens;
    const same = words - flips(before.predictions, after.predictions).length;
    return {
      value: after.value,
      agreement: { words, same, share: words === 0 ? 1 : same / words, required },
    };
  } finally {
    await trained.close();
  }
}

/** A tagger around a model in memory, unoptimized: in float32 as it is written. */
async function openModel(model: ModelProto, settings: TaggerSettings, threads: number): Promise<Tagger> {
  const open = (part: ModelProto) => openSession(part, { threads, optimization: "none" });
  switch (settings.kind) {
    case "transformer":
      return makeTransformerTagger(await open(model), settings);
    case "neural":
      return openNeuralTagger(model, settings, open);
    case "sequence":
      return makeSequenceTagger(await open(model), settings);
    default:
      return settings satisfies never;
  }
}

/** The quantized file of a training's result; undefined for one that was not for quantization. */
export function exportOf(result: { readonly qat?: TrainedExport } | object): TrainedExport | undefined {
  return "qat" in result ? result.qat : undefined;
}

/** Whether all that was asked for is there. */
export function isKept(exported: TrainedExport | undefined): boolean {
  return exported?.passed ?? true;
}

/**
 * @throws GateError where the quantized file did not label as, or compute what, the training's graph did, and so was
 * not kept
 */
export function checkAgreement(operation: string, exported: TrainedExport | undefined): void {
  if (exported === undefined || exported.passed) return;
  if (exported.refusal !== null) throw new GateError(`${operation}: ${exported.refusal}`);
  if (exported.agreement === null) return;
  const { required, share, same, words } = exported.agreement;
  throw new GateError(
    `${operation}: quantized file: words labelled as by the trained graph: expected at least ${formatPercent(required)}, got ${formatPercent(share)} (${same} of ${words}); it was not kept, the float model is: quantize that with calibration data`,
  );
}
