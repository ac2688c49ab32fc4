import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import {
  type Batch,
  buildTrainingGraph,
  type Engine,
  type EngineOptions,
  type GradientOfWeight,
  mixWords,
  type Pass,
  prepareForward,
  rewriteOf,
  type Trainer,
  trainerOf,
  TrainingError,
} from "@nasty/training";
import { type Backend, loadBackend } from "./backend/backend.js";
import type { BackendName } from "./backend/backend-name.js";
import { fed, type Forward, forwardOf } from "./forward.js";
import { type LookedUp, lookedUpTables } from "./looked-up-tables.js";
import { inputsOfLosses, lossValue } from "./losses/losses.js";
import type { TfScalar, TfTensor } from "./tensorflow.js";
import { fromTf, toTf } from "./values.js";

export interface TensorflowEngineOptions {
  /** The fastest one installed unless given: native library, WebAssembly, JavaScript. */
  readonly backend?: BackendName;
  /** Told once at `load` which backend computes, and why not a better one. */
  readonly onBackend?: (backend: BackendName, notes: readonly string[]) => void;
}

/**
 * TensorFlow.js as the engine of a training: runs the forward graph in its operations; its tape gives the gradients.
 *
 * What may be trained, the losses, dropout masks, optimizer, modifiers and checkpoints are those of `onnxEngine`; the
 * updates agree with its up to the rounding of float32. `threads` has no effect: TensorFlow chooses them itself.
 *
 * @throws TfjsError when a model is loaded: `not-installed` (says what to install), `backend-unavailable`,
 *   `unsupported-operator`, `unsupported-attribute`; TrainingError as `buildTrainingGraph` does
 * @example
 * ```ts
 * const trainer = await tensorflowEngine().load(model, { loss, optimizer: { kind: "adamw", learningRate: 1e-3 } });
 * ```
 */
export function tensorflowEngine(options: TensorflowEngineOptions = {}): Engine {
  return {
    name: "tensorflow",
    async load(model, engineOptions) {
      const backend = await loadBackend(options.backend);
      options.onBackend?.(backend.name, backend.notes);
      return loadModel(backend, model, engineOptions);
    },
  };
}

function loadModel(backend: Backend, model: ModelProto, options: EngineOptions): Trainer {
  // Modifiers work on the graph once: both uses below start from what they made.
  const edited = ModelGraph.from(model);
  const watched = rewriteOf(options)(edited);
  const rewritten = edited.toModel();
  const { rewrite: _, ...rest } = options;
  const plain = { ...rest, outputs: [...(options.outputs ?? []), ...watched] };
  // Says what can be trained and refuses what cannot, so that both engines accept the same models.
  const { weights } = buildTrainingGraph(rewritten, plain);
  const prepared = prepareForward(rewritten, plain);
  const trained = new Set(weights.map(({ name }) => name));
  const tables = lookedUpTables(prepared.edited.main, trained);
  const forward = forwardOf(backend, prepared.edited, {
    trained,
    dropout: options.dropout ?? [],
  });
  const names = [...trained];
  const inputs = prepared.edited.main.inputs.map(({ name }) => name);
  const job: Job = {
    backend,
    known: new Set([...names, ...inputs, ...inputsOfLosses(prepared.losses)]),
    forward,
    losses: prepared.losses,
    outputs: prepared.outputs,
    names,
    tables,
    seed: options.seed ?? 0,
  };
  return trainerOf({
    model,
    weights,
    options,
    passes: {
      async pass(feeds, step) {
        await backend.activate();
        checkFeeds(job, feeds);
        return pass(job, feeds, step);
      },
      async loss(feeds, step) {
        await backend.activate();
        checkFeeds(job, feeds);
        return lossOf(job, feeds, step);
      },
      async close() {
        forward.dispose();
      },
    },
  });
}

interface Job {
  readonly backend: Backend;
  readonly forward: Forward;
  readonly losses: ReturnType<typeof prepareForward>["losses"];
  readonly outputs: readonly string[];
  readonly names: readonly string[];
  /** Names that may be fed. */
  readonly known: ReadonlySet<string>;
  readonly tables: ReadonlyMap<string, LookedUp>;
  readonly seed: number;
}

function checkFeeds({ known }: Job, feeds: Batch): void {
  for (const name of Object.keys(feeds)) {
    if (known.has(name)) continue;
    throw new TrainingError(
      "invalid-batch",
      `step: input ${JSON.stringify(name)}: expected one of ${[...known].join(", ")}, got an unknown name`,
      { tensor: name },
    );
  }
}

interface Evaluated {
  readonly total: TfScalar;
  readonly losses: Readonly<Record<string, number>>;
  readonly valueOf: (name: string) => TfTensor;
}

/** Runs the graph and its losses; to be called in a scope of TensorFlow.js. */
function evaluate(job: Job, weights: readonly TfTensor[], feeds: Batch, step: number): Evaluated {
  const { tf } = job.backend;
  const valueOf = job.forward.run({
    weights: new Map(job.names.map((name, i) => [name, weights[i] as TfTensor])),
    batch: feeds,
    seed: mixWords(job.seed, step),
  });
  const losses: Record<string, number> = {};
  const terms: TfScalar[] = [];
  for (const loss of job.losses) {
    const value = lossValue({ tf, tensor: valueOf, fed: (name) => fed(feeds, name) }, loss);
    const name = loss.name ?? loss.kind;
    const taken = Object.keys(losses).filter(
      (other) => other === name || other.startsWith(`${name}-`),
    ).length;
    losses[taken === 0 ? name : `${name}-${taken + 1}`] = value.dataSync()[0] as number;
    terms.push((loss.weight ?? 1) === 1 ? value : tf.mul(value, loss.weight as number));
  }
  return { total: terms.reduce((a, b) => tf.add(a, b)), losses, valueOf };
}

function pass(job: Job, feeds: Batch, step: number): Pass {
  const { tf } = job.backend;
  let losses: Readonly<Record<string, number>> = {};
  let rows: ReadonlyMap<string, Int32Array> = new Map();
  const outputs: Record<string, Tensor> = {};
  // What is read besides the loss is read here: the tape keeps nothing else.
  const forward = (...weights: TfTensor[]): TfScalar => {
    const done = evaluate(job, weights, feeds, step);
    losses = done.losses;
    for (const name of job.outputs) outputs[name] = fromTf(done.valueOf(name), job.forward.dtype(name));
    rows = new Map([...job.tables].map(([name, table]) => [name, table.rows(done.valueOf)]));
    return done.total;
  };
  let loss = 0;
  let gradients: ReadonlyMap<string, GradientOfWeight> = new Map();
  try {
    tf.tidy(() => {
      const weights = job.names.map((name) => toTf(tf, fed(feeds, name)));
      const { value, grads } = tf.valueAndGrads(forward)(weights);
      loss = value.dataSync()[0] as number;
      gradients = new Map(
        job.names.map((name, i) => [name, gradientOf(job, grads[i] as TfTensor, rows.get(name))]),
      );
    });
  } catch (error) {
    dropTape(job);
    throw error;
  }
  return { loss, losses, outputs, gradients };
}

/** Frees what an unfinished tape keeps for its gradients, which TensorFlow.js forgets when the forward pass throws. */
function dropTape({ backend: { tf } }: Job): void {
  const state = tf.engine().state as { activeTape: { readonly saved?: readonly TfTensor[] }[] | null };
  for (const { saved } of state.activeTape ?? []) for (const tensor of saved ?? []) tensor.dispose();
  state.activeTape = null;
}

/**
 * A table that is only looked up hands out the rows that were, as the other engine does: its optimizer may skip the
 * rest.
 */
function gradientOf(
  { backend: { tf } }: Job,
  gradient: TfTensor,
  rows: Int32Array | undefined,
): GradientOfWeight {
  if (rows === undefined) return { dense: gradient.dataSync() as Float32Array, rows: [] };
  const values = tf.gather(gradient, tf.tensor1d(rows, "int32")).dataSync() as Float32Array;
  return { dense: undefined, rows: [{ indices: BigInt64Array.from(rows, BigInt), values }] };
}

function lossOf(job: Job, feeds: Batch, step: number): number {
  const { tf } = job.backend;
  let loss = 0;
  tf.tidy(() => {
    const weights = job.names.map((name) => toTf(tf, fed(feeds, name)));
    loss = evaluate(job, weights, feeds, step).total.dataSync()[0] as number;
  });
  return loss;
}
