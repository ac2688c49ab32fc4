import type { CalibrationBatch } from "@nasty/calibration";
import { ModelGraph } from "@nasty/graph";
import { modelVariantOf } from "@nasty/taggers/node";
import { leastCosineOf } from "../drift/drift-check.js";
import { InputError, UsageError } from "../errors.js";
import { type LoadedModel, loadModel } from "../models/load-model.js";
import type { ModelLike } from "../models/model-like.js";
import { verifyOperation } from "../operations/verify.js";
import { type GivenBeside, perform } from "../perform.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { formsOf } from "../targets/forms.js";
import { choiceOf } from "../texts/label-choice.js";
import { brokenLayer } from "./broken-layer.js";
import { type Engine, originalEngine, usualEngines } from "./engine.js";
import { judge } from "./judge.js";
import { sizeOf } from "./output-error.js";
import { engineError, type EngineJob, type NotRun, type Ran, runOn } from "./run-engine.js";
import { verificationSample } from "./sample.js";
import type { VerificationResult } from "./verification-result.js";

type VerifySettings = SettingsOf<typeof verifyOperation.options>;

/** What only a program can give. */
export interface VerifyExtras {
  /** Engines to choose from. Default: native, wasm and portable. */
  readonly among?: readonly Engine[];
  /** Inputs of the model, one object of tensors a run, in the place of a file. */
  readonly inputs?: readonly CalibrationBatch["feeds"][];
}

/** What {@link verify} takes beside the model. */
export type VerifyOptions = GivenBeside<typeof verifyOperation.options, "model"> & VerifyExtras;

/**
 * Runs one file on every engine at hand and compares outputs and labels: with the float model that it was made of, if
 * that is given, and between the engines.
 *
 * An engine that departs is named with the first node whose value does. A layer of the file that does not do what the
 * original's does is named too. An engine that is not there, or has no kernel for a form in the file, fails the check
 * only where it was asked for by name.
 *
 * @returns what `verify --json` prints; `passed` is false for a file that is not right everywhere
 * @throws InputError for a model that no engine runs, or where there is nothing to compare with; UsageError for unknown
 *   or wrong options; the signal's reason
 * @example
 * ```ts
 * const { passed, engines } = await verify("pos_int8.onnx", { original: "models/pos" });
 * engines.map(({ name, flips }) => `${name}: ${flips} words with another label`);
 * ```
 */
export function verify(
  model: ModelLike,
  { among, inputs, ...options }: VerifyOptions = {},
): Promise<VerificationResult> {
  const extras = { ...(among !== undefined && { among }), ...(inputs !== undefined && { inputs }) };
  return perform(verifyOperation, { ...options, model }, (settings, reporter) =>
    runVerification(settings, reporter, extras),
  );
}

/** {@link verify} from checked settings. */
export async function runVerification(
  settings: VerifySettings,
  reporter: Reporter,
  { among = usualEngines, inputs }: VerifyExtras = {},
): Promise<VerificationResult> {
  const { progress, signal, note } = reporter;
  const { threads, test, feeds, samples } = settings;
  if (test !== undefined && feeds !== undefined) {
    throw new UsageError(`verify: --feeds: expected no --test beside it, got ${test}; give one of them`);
  }
  const asked = askedFor(settings.engine, among);
  const loaded = await loadModel(settings.model, choiceOf(settings));
  const original = settings.original === undefined ? undefined : await loadModel(settings.original);
  for (const one of loaded.notes) note(one);
  const asText = withOwnText(loaded, original);
  const sample = await verificationSample(asText, { inputs, test, feeds, samples });
  const job: EngineJob = {
    model: asText,
    forms: formsOf(loaded.model),
    sentences: sample.sentences,
    candidates: sample.candidates,
    threads,
    signal,
  };

  const results: (Ran | NotRun)[] = [];
  for (const engine of asked) {
    progress.start(`running the file on ${engine.name}`);
    results.push(await runOn(engine, job));
  }
  const ran = results.filter(hasRun);
  const [first] = ran;
  const source =
    original && first && (await runOriginal(original, { ...job, candidates: [first.batches] }, reporter));
  const variant = modelVariantOf(loaded.model);
  const tolerance = settings.tolerance ?? (variant === "fp32" ? floatTolerance : quantizedTolerance);
  const reference = await referenceOf(ran, { source, job, among, tolerance });
  progress.stop();

  const minCosine = source === undefined ? null : (settings.minCosine ?? leastCosineOf[variant]);
  const [batch] = first?.batches ?? [];
  const layer =
    original === undefined || reference === undefined || batch === undefined
      ? undefined
      : await lookingAtLayers(reporter, () =>
          brokenLayer({
            original: original.model,
            model: loaded.model,
            engine: reference.engine,
            batch,
            threads,
            signal,
          }),
        );
  const verdict = await judge(results, {
    loaded,
    original,
    source,
    reference,
    layer,
    tolerance,
    minCosine,
    isAsked: settings.engine.length > 0,
    threads,
    reporter,
  });
  return {
    model: settings.model,
    original: settings.original ?? null,
    ranOn: sample.kind,
    batches: first?.batches.length ?? 0,
    words: first?.labels?.reduce((sum, labels) => sum + labels.length, 0) ?? null,
    tolerance,
    minCosine,
    reference: reference?.engine.name ?? null,
    ...verdict,
  };
}

/** Engines compute a float32 model with sums in another order. */
const floatTolerance = 1e-4;

/** A last bit that differs moves an integer by one, and so a share of what is summed of it. */
const quantizedTolerance = 0.02;

const hasRun = (result: Ran | NotRun): result is Ran => result.kind === "ran";

/** @throws UsageError for a name that no engine has, and one that is given twice */
function askedFor(names: readonly string[], among: readonly Engine[]): readonly Engine[] {
  if (names.length === 0) return among;
  return [...new Set(names)].map((name) => {
    const engine = among.find((one) => one.name === name);
    if (engine !== undefined) return engine;
    const known = among.map((one) => one.name).join(", ");
    throw new UsageError(`verify: --engine: expected one of ${known}, got ${name}`);
  });
}

/** A file without labels and tokenizer has those of its original, if it takes the same inputs. */
function withOwnText(loaded: LoadedModel, original: LoadedModel | undefined): LoadedModel {
  const isKnown = (loaded.tagger ?? loaded.text) !== undefined;
  if (isKnown || original === undefined || inputsOf(original) !== inputsOf(loaded)) return loaded;
  return { ...loaded, tagger: original.tagger, text: original.text };
}

const inputsOf = ({ model }: LoadedModel): string =>
  JSON.stringify(
    ModelGraph.from(model)
      .main.inputs.map(({ name }) => name)
      .sort(),
  );

/** What the float model says to what the file was run on. */
async function runOriginal(original: LoadedModel, job: EngineJob, { progress }: Reporter): Promise<Ran> {
  progress.start("running the original");
  const result = await runOn(originalEngine, { ...job, forms: [], model: original });
  if (result.kind === "ran") return result;
  throw new InputError(
    `verify: ${original.path}: expected an original that runs on the same inputs, got: ${result.reason}`,
  );
}

interface Comparison {
  readonly source: Ran | undefined;
  readonly job: EngineJob;
  readonly among: readonly Engine[];
  readonly tolerance: number;
}

/**
 * The engine that the others are compared with: the first that is as near to the original as any of them, to the
 * tolerance, else the first that ran the file. One engine alone has nothing to be compared with but another that nobody
 * asked for.
 *
 * @returns undefined if none ran it
 * @throws InputError if there is one engine, no other, and no original
 */
async function referenceOf(
  ran: readonly Ran[],
  { source, job, among, tolerance }: Comparison,
): Promise<Ran | undefined> {
  const [first] = ran;
  if (first === undefined) return undefined;
  if (source !== undefined) {
    const errors = ran.map((one) => sizeOf(engineError(source, one)));
    const nearest = Math.min(...errors);
    return ran[errors.findIndex((error) => error <= nearest + tolerance)] ?? first;
  }
  if (ran.length > 1) return first;
  const others = [...among, ...usualEngines].filter(({ name }) => name !== first.engine.name);
  for (const engine of others) {
    const result = await runOn(engine, { ...job, candidates: [first.batches] });
    if (result.kind === "ran") return result;
  }
  throw new InputError(
    `verify: ${job.model.modelPath}: expected a second engine or an original to compare with, got ${first.engine.name} alone; give --original, or install onnxruntime-node`,
  );
}

async function lookingAtLayers<T>({ progress }: Reporter, look: () => Promise<T>): Promise<T> {
  progress.start("looking at the layers");
  const found = await look();
  progress.stop();
  return found;
}
