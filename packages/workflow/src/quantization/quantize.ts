import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { UsageError } from "../errors.js";
import type { ModelLike } from "../models/model-like.js";
import { quantizeOperation } from "../operations/quantize.js";
import { type GivenBeside, perform } from "../perform.js";
import { outputOf } from "./checked-options.js";
import type { QuantizationResult } from "./quantization-result.js";
import { checkedPlan, type QuantizePlan, settingsWith } from "./quantize-plan.js";
import { type PartsResult, partsOf, runQuantizationOfParts } from "./quantize-parts.js";
import { runPlan, runQuantization } from "./run-quantization.js";

/** What {@link quantize} takes beside the model. */
export type QuantizeOptions = GivenBeside<typeof quantizeOperation.options, "model"> & {
  /** What `quantize.plan` gave, perhaps by way of JSON; the options that decide what is made are in it. */
  readonly plan?: QuantizePlan | undefined;
};

/** What {@link quantize} plans from: nothing that says where to write. */
export type QuantizePlanOptions = GivenBeside<typeof quantizeOperation.options, "model">;

type Audited = NonNullable<QuantizationResult["audit"]>;

/** What was made, and what is known of it; itself a model for the next operation. */
export interface QuantizeResult extends Omit<QuantizationResult, "audit"> {
  /** Whether the file was written: false where the gate refused it. */
  readonly passed: boolean;
  /** Where the file is, or would have been. */
  readonly path: string;
  /** Of the file; 0 where none was written. */
  readonly bytes: number;
  /** What the runtime executes; its figures are null on WebAssembly, which does not tell. */
  readonly audit: { readonly [Figure in keyof Audited]: Audited[Figure] | null };
}

/**
 * Writes a smaller and faster model: int8 with ranges that are measured on text (`mode: "static"`) or at run time
 * (`"dynamic"`), weights of 4 or of 8 bits (`"int4"`, `"weight-only"`), or mixed to a size (`targetSize`).
 *
 * The written file is run beside the original before it gets its name, and judged by the gate, if there is one: over
 * the largest loss, the most sensitive weights are left in float, as few as possible. A gate that refuses the model is
 * no exception: `passed` is false, nothing was written.
 *
 * @param model a path, an open model, or what another operation wrote
 * @throws UsageError for options that are unknown, wrong or contradict each other; InputError, or an error of a
 *   package, for a model or text that cannot be used, and for a plan of another model; GateError for a file whose
 *   outputs have little to do with the original's; the signal's reason
 * @example
 * ```ts
 * const int8 = await quantize("pos.onnx", {
 *   calibration: text("dev.conllu", { sentences: 200 }),
 *   gate: { on: text("dev.conllu"), maxLoss: 0.01 },
 *   compress: "gzip",
 * });
 * if (int8.passed) console.log(int8.path, int8.bytes, int8.gate?.flips);
 * ```
 */
async function quantizeModel(model: ModelLike, options: QuantizeOptions = {}): Promise<QuantizeResult> {
  const { plan: given, ...others } = options;
  if (given === undefined) {
    return perform(quantizeOperation, { model, ...others }, async (settings, reporter) =>
      resultOf(await runQuantization(settings, reporter), outputOf(settings.model, settings)),
    );
  }
  const plan = checkedPlan(given, others);
  const { seed = plan.settings.seed, inputFormat = plan.settings.inputFormat } = others;
  return perform(quantizeOperation, { model, ...others, seed, inputFormat }, async (settings, reporter) => {
    const merged = settingsWith(plan, settings);
    return resultOf(await runQuantization(merged, reporter, plan), outputOf(merged.model, merged));
  });
}

/**
 * Plans what {@link quantize} would make: which weights and activations, in which scheme, and why others stay in float.
 * Nothing is written; static mode measures its ranges.
 *
 * @returns plain data, also for JSON: `quantize(model, { plan })` carries it out
 * @throws as {@link quantize}
 */
function planModel(model: ModelLike, options: QuantizePlanOptions = {}): Promise<QuantizePlan> {
  return perform(quantizeOperation, { model, ...options }, runPlan);
}

/** {@link quantizeModel}, and {@link planModel} as `quantize.plan`. */
export const quantize = Object.assign(quantizeModel, { plan: planModel });

/**
 * Quantizes each model of a folder that holds several instead of one `model.onnx`, such as an encoder and its decoder,
 * in turn: dynamic, weights of 4 or of 8 bits.
 *
 * Each is written beside itself with the mode in its name, or under its own name in the folder `output`. A file in
 * which nothing can be quantized, or that was quantized before, stays as it is: `unchanged` says why. One that cannot
 * be used ends the call; those before it are whole.
 *
 * @param folder its models are in the folder itself, or in `onnx/`
 * @throws UsageError for a path that is no such folder, and for options that speak of one model (calibration,
 *   validation, report); else as {@link quantize}
 * @example
 * ```ts
 * const { models, unchanged } = await quantizeParts("models/translator", { output: "dist/translator" });
 * ```
 */
export async function quantizeParts(
  folder: string,
  options: QuantizePlanOptions = {},
): Promise<PartsResult<QuantizeResult>> {
  return perform(quantizeOperation, { model: folder, ...options }, async (settings, reporter) => {
    const parts = await partsOf(settings);
    if (parts.length === 0) {
      throw new UsageError(
        `quantize: ${folder}: expected a folder with several models, got ${(await modelKind(folder)) ?? "nothing"}`,
      );
    }
    const { models, ...rest } = await runQuantizationOfParts(settings, parts, reporter);
    return { ...rest, models: models.map((result) => resultOf(result, result.output?.path ?? result.model)) };
  });
}

/** What is at a path that holds no several models. */
async function modelKind(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  return found.isDirectory()
    ? "a folder without, or with a model.onnx of its own: use quantize"
    : "a file: use quantize";
}

/** Figures of an audit that there is not. */
const unknown: QuantizeResult["audit"] = {
  quantizedKernels: null,
  floatMatMuls: null,
  strayQdq: null,
  quantizedEmbeddings: null,
  kernels: null,
  floatKernels: null,
  strays: null,
  qdqRoles: null,
  unsafePairs: null,
  unsafeProducts: null,
  nodes: null,
  warnings: null,
  timeShares: null,
};

function resultOf(result: QuantizationResult, path: string): QuantizeResult {
  const { output, audit } = result;
  return {
    ...result,
    passed: output !== null,
    path: resolve(output?.path ?? path),
    bytes: output?.bytes ?? 0,
    audit: audit ?? unknown,
  };
}
