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
import { writeCandidate } from "../files/candidate.js";
import { formatBytes, formatPercent } from "../report/format.js";

/** The quantized file of a quantization-aware training, and how it was proved. */
export interface TrainedExport {
  /** Null, as its size and hash, for a file that does not label as the training's graph did: it is not kept. */
  readonly path: string | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly passed: boolean;
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
  /** How far the file's outputs are from those of the graph that was trained; null for a file that was refused by them. */
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
}

/**
 * Writes what a model was trained to become, and keeps the file if it labels as the training's graph does.
 *
 * @returns undefined for a model that was not trained for quantization
 */
export async function exportTrained(job: ExportJob): Promise<TrainedExport | undefined> {
  const { model, settings, output, validation, threads, provenance, required = requiredAgreement } = job;
  const record = qat.record(model);
  if (record === undefined || !record.fakeQuantize) return undefined;
  const { model: quantized } = await qat.apply(model, await qat.plan(model), { provenance });
  const candidate = await writeCandidate(output, await withTagger(quantized, settings));
  try {
    // The file carries its tagger: it is opened as anybody would.
    const written = await openTagger(candidate.path, { threads });
    let measured: Pick<TrainedExport, "value" | "agreement"> = { value: null, agreement: null };
    try {
      if (validation !== undefined && validation !== "-")
        measured = await compared(written, { model, settings, validation, threads, required });
    } finally {
      await written.close();
    }
    const { bits, activationMode: activations } = record;
    const drifted = await driftOf(job, { path: candidate.path, bits, isJudged: measured.agreement !== null });
    const passed = drifted.refusal === null && (measured.agreement?.share ?? 1) >= required;
    const found = { passed, bits, activations, ...measured, ...drifted };
    if (passed) return { ...(await candidate.commit()), ...found };
    await candidate.discard();
    return { path: null, bytes: null, sha256: null, ...found };
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

/** Runs the written file beside the training's graph; what it is refused for is said at the end of the command. */
async function driftOf(
  { model, settings, words, minCosine, threads, output }: ExportJob,
  { path, bits, isJudged }: { readonly path: string; readonly bits: 8 | 4; readonly isJudged: boolean },
): Promise<Pick<TrainedExport, "drift" | "refusal">> {
  const { size: modelBytes } = await stat(path);
  const job: DriftJob = {
    operation: "quantized file",
    path: output,
    original: qat.simulate(model),
    likeness: "the trained graph",
    sample: await driftSample({ path, modelBytes, model, tagger: settings }, words, { threads }),
    minCosine: minCosine ?? leastCosine[bits === 4 ? "int4" : "int8"],
    threads,
    isJudged,
    outcome: "it was not kept, the float model is",
    advice: () => "quantize that with calibration data, or lower --min-cosine if you mean it",
  };
  try {
    return { drift: await checkDrift(job, path), refusal: null };
  } catch (error) {
    if (error instanceof GateError) return { drift: null, refusal: error.message };
    throw error;
  }
}

async function compared(
  written: Tagger,
  {
    model,
    settings,
    validation,
    threads,
    required,
  }: Pick<ExportJob, "model" | "settings" | "threads"> & {
    readonly validation: string;
    readonly required: number;
  },
): Promise<Pick<TrainedExport, "value" | "agreement">> {
  const sentences = await collectAll(readLabelled(validation, settings.task));
  const trained = await openModel(qat.simulate(model), settings, threads);
  try {
    // The activations of a dynamic model depend on what shares a run.
    const after = await evaluate(written, sentences, { path: validation, batchSize: 1 });
    const before = await evaluate(trained, sentences, { path: validation, batchSize: 1 });
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

/** Lines for people about an exported file; none about one that was refused, of which {@link checkAgreement} speaks. */
export function exportText({ path, bytes, bits, activations, value, agreement }: TrainedExport): string[] {
  if (path === null || bytes === null) return [];
  const how = bits === 4 ? "INT4" : `INT8, ${activations} activations`;
  return [
    `Wrote ${path} (${formatBytes(bytes)}, ${how}, as trained)`,
    ...(value === null || agreement === null
      ? []
      : [
          `  ${formatPercent(value)}; ${agreement.same} of ${agreement.words} words labelled as by the trained graph (${formatPercent(agreement.share)})`,
        ]),
    `Next: nasty eval --model ${path} --test test.conllu`,
  ];
}

/** @throws GateError where the quantized file did not label as, or compute what, the training's graph did, and so was not kept */
export function checkAgreement(operation: string, exported: TrainedExport | undefined): void {
  if (exported === undefined || exported.passed) return;
  if (exported.refusal !== null) throw new GateError(`${operation}: ${exported.refusal}`);
  if (exported.agreement === null) return;
  const { required, share, same, words } = exported.agreement;
  throw new GateError(
    `${operation}: quantized file: words labelled as by the trained graph: expected at least ${formatPercent(required)}, got ${formatPercent(share)} (${same} of ${words}); it was not kept, the float model is: quantize that with calibration data`,
  );
}
