import { mixWords, type Random, seededRandom } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import type { Batch } from "../engine/batch.js";
import type { StepResult, Trainer } from "../engine/engine.js";
import type { ModifierState } from "../engine/modifier.js";
import { TrainingError } from "../training-error.js";
import { type CheckpointStore, checkpointChunks, type EpochRecord, parseCheckpoint } from "./checkpoint.js";
import type { Progress, StopReason, TrainingEvent } from "./events.js";

export interface EpochContext {
  /** From 1. */
  readonly epoch: number;
  /** Seeded by the loop's seed and the epoch: what depends on it alone is the same again after an interruption. */
  readonly random: Random;
}

export interface TrainLoopOptions {
  readonly trainer: Trainer;
  /** The batches of an epoch, in order; must depend on nothing but the context. */
  readonly batches: (context: EpochContext) => Iterable<Batch> | AsyncIterable<Batch>;
  readonly epochs: number;
  /** Default 0. */
  readonly seed?: number;
  /** Quality of the weights (their averages, if the optimizer keeps them) after an epoch. */
  readonly validate?: (context: {
    readonly model: ModelProto;
    readonly epoch: number;
  }) => Promise<number> | number;
  /** Whether a higher or a lower value of `validate` is better. Default higher. */
  readonly better?: "higher" | "lower";
  /** Stops after this many epochs without a better value. */
  readonly patience?: number;
  readonly checkpoint?: CheckpointStore;
  /** Steps between checkpoints; at the end of every epoch as well. */
  readonly checkpointEvery?: number;
  /** Identifies data and settings in checkpoints: a checkpoint with another identity is refused. */
  readonly identity?: string;
  /** Name that all events carry, where a training has several loops. */
  readonly phase?: string;
  /** Steps of an epoch, if known, for the time left. */
  readonly stepsPerEpoch?: number;
  readonly onEvent?: (event: TrainingEvent) => void;
  /** Steps between `step` events. Default 50. */
  readonly eventEvery?: number;
  /** Ends the loop after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal;
}

export interface TrainLoopResult {
  /** The forward model with the best weights, or the last ones if there is no validation. */
  readonly model: ModelProto;
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** State of the trainer's modifiers with these weights. */
  readonly modifiers: ModifierState;
  readonly bestEpoch: number | undefined;
  readonly bestMetric: number | undefined;
  readonly history: readonly EpochRecord[];
  readonly steps: number;
  readonly stopped: StopReason;
}

/**
 * Trains for some epochs, keeping the best weights by validation.
 *
 * With a checkpoint store an interrupted run (at any moment) goes on from its last checkpoint and ends with the same
 * weights, byte for byte, as one that was not interrupted: shuffles depend on seed and epoch, dropout masks on
 * seed and step.
 *
 * @throws TrainingError `non-finite-loss` naming the step, the last checkpoint being the last good one;
 *   `checkpoint-mismatch` for a checkpoint of another model or identity; `checkpoint-format`; `invalid-option`;
 *   `invalid-batch` for an epoch without batches.
 * @example
 * ```ts
 * const { model, bestMetric } = await trainLoop({
 *   trainer,
 *   epochs: 20,
 *   batches: ({ random }) => shuffled(batches, random),
 *   validate: ({ model }) => accuracy(model),
 *   patience: 3,
 * });
 * ```
 */
export async function trainLoop(given: TrainLoopOptions): Promise<TrainLoopResult> {
  checkOptions(given);
  const { trainer, epochs, seed = 0, signal, phase } = given;
  const onEvent = (event: TrainingEvent): void =>
    given.onEvent?.(phase === undefined ? event : { ...event, phase });
  const options = { ...given, onEvent };
  const run = await startOf(options);
  const clock = { start: performance.now(), firstStep: trainer.stepCount() };
  const save = async (): Promise<void> => {
    if (options.checkpoint === undefined) return;
    let bytes = 0;
    const counted = function* (chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
      for (const chunk of chunks) {
        bytes += chunk.length;
        yield chunk;
      }
    };
    const { best, bestModifiers, ...position } = run;
    await options.checkpoint.save(
      counted(
        checkpointChunks({
          identity: options.identity ?? "",
          position: { ...position },
          state: trainer.state(),
          best: best && Object.fromEntries(best),
          bestModifiers,
        }),
      ),
    );
    onEvent({ event: "checkpoint", epoch: run.epoch, step: trainer.stepCount(), bytes });
  };
  const finish = (reason: StopReason): TrainLoopResult => {
    onEvent({ event: "stop", reason, epoch: run.epoch, step: trainer.stepCount() });
    return resultOf(run, trainer, reason);
  };

  for (; run.epoch <= epochs; run.epoch++, run.batch = 0, run.lossSum = 0) {
    if (isOutOfPatience(run, options)) return finish("patience");
    const { epoch } = run;
    const started = performance.now();
    const window = stepWindow();
    let skip = run.batch;
    const batches = options.batches({ epoch, random: seededRandom(mixWords(seed, epoch)) });
    for await (const batch of batches) {
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      if (signal?.aborted === true) {
        await save();
        return finish("interrupted");
      }
      const result = await trainer.step(batch);
      await turn();
      run.batch += 1;
      run.lossSum += result.loss;
      window.add(result);
      if (window.count() >= (options.eventEvery ?? 50)) {
        onEvent({ event: "step", ...window.flush(), ...progressOf(options, run, clock) });
      }
      if (options.checkpointEvery !== undefined && run.batch % options.checkpointEvery === 0) await save();
    }
    if (run.batch === 0 || skip > 0) {
      throw new TrainingError(
        "invalid-batch",
        `trainLoop: epoch ${epoch}: batches: expected at least ${Math.max(1, run.batch)}, got ${run.batch - skip}`,
      );
    }
    run.stepsPerEpoch ??= run.batch;
    const metric = await validated(options, run);
    const loss = run.lossSum / run.batch;
    run.history = [...run.history, metric === undefined ? { epoch, loss } : { epoch, loss, metric }];
    const best = run.bestEpoch === epoch;
    const seconds = (performance.now() - started) / 1000;
    onEvent({ event: "epoch", loss, metric, best, seconds, ...progressOf(options, run, clock) });
    await saveAtEnd(run, save);
  }
  return finish("finished");
}

/** Lets timers, signals and whoever aborts have their turn: an engine may compute without ever waiting. */
const turn = (): Promise<void> =>
  new Promise(
    (resolve) => void (typeof setImmediate === "function" ? setImmediate(resolve) : setTimeout(resolve)),
  );

interface Run {
  epoch: number;
  batch: number;
  lossSum: number;
  stepsPerEpoch: number | undefined;
  bestEpoch: number | undefined;
  bestMetric: number | undefined;
  history: readonly EpochRecord[];
  best: ReadonlyMap<string, Float32Array> | undefined;
  bestModifiers: ModifierState | undefined;
}

function checkOptions({ epochs, patience }: TrainLoopOptions): void {
  const refuse = (what: string, got: unknown): never => {
    throw new TrainingError(
      "invalid-option",
      `trainLoop: ${what}: expected a positive integer, got ${String(got)}`,
    );
  };
  if (!(Number.isInteger(epochs) && epochs > 0)) refuse("epochs", epochs);
  if (patience !== undefined && !(Number.isInteger(patience) && patience > 0)) refuse("patience", patience);
}

/** Where to begin: the start, or the place of the last checkpoint. */
async function startOf({
  trainer,
  checkpoint,
  identity = "",
  stepsPerEpoch,
  onEvent,
}: TrainLoopOptions): Promise<Run> {
  const fresh: Run = {
    epoch: 1,
    batch: 0,
    lossSum: 0,
    stepsPerEpoch,
    bestEpoch: undefined,
    bestMetric: undefined,
    history: [],
    best: undefined,
    bestModifiers: undefined,
  };
  const bytes = await checkpoint?.load();
  if (bytes === undefined) return fresh;
  const saved = parseCheckpoint(bytes);
  if (saved.identity !== identity) {
    throw new TrainingError(
      "checkpoint-mismatch",
      `trainLoop: checkpoint: identity: expected ${JSON.stringify(identity)}, got ${JSON.stringify(saved.identity)}`,
    );
  }
  trainer.restore(saved.state);
  onEvent?.({ event: "resume", epoch: saved.position.epoch, step: trainer.stepCount() });
  const best =
    saved.best &&
    new Map(Object.entries(saved.best).map(([name, values]) => [name, Float32Array.from(values)]));
  return {
    ...fresh,
    ...saved.position,
    best,
    bestModifiers: saved.bestModifiers && copied(saved.bestModifiers),
  };
}

/** After an epoch the place is the start of the next one. */
async function saveAtEnd(run: Run, save: () => Promise<void>): Promise<void> {
  const { epoch, batch, lossSum } = run;
  Object.assign(run, { epoch: epoch + 1, batch: 0, lossSum: 0 });
  await save();
  Object.assign(run, { epoch, batch, lossSum });
}

async function validated(
  { validate, better = "higher", trainer }: TrainLoopOptions,
  run: Run,
): Promise<number | undefined> {
  if (validate === undefined) return undefined;
  const metric = await validate({ model: trainer.model({ averaged: true }), epoch: run.epoch });
  const isBetter =
    run.bestMetric === undefined || (better === "higher" ? metric > run.bestMetric : metric < run.bestMetric);
  if (isBetter)
    Object.assign(run, {
      bestEpoch: run.epoch,
      bestMetric: metric,
      best: trainer.readWeights({ averaged: true }),
      bestModifiers: copied(trainer.state().modifiers ?? {}),
    });
  return metric;
}

const copied = (arrays: ModifierState): ModifierState =>
  Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, Float32Array.from(values)]));

function isOutOfPatience({ bestEpoch, epoch }: Run, { patience }: TrainLoopOptions): boolean {
  return patience !== undefined && bestEpoch !== undefined && epoch - 1 - bestEpoch >= patience;
}

function resultOf(
  { best, bestModifiers, bestEpoch, bestMetric, history }: Run,
  trainer: Trainer,
  stopped: StopReason,
): TrainLoopResult {
  const weights = best ?? trainer.readWeights({ averaged: true });
  return {
    model: trainer.withWeights(weights),
    weights,
    modifiers: bestModifiers ?? copied(trainer.state().modifiers ?? {}),
    bestEpoch,
    bestMetric,
    history,
    steps: trainer.stepCount(),
    stopped,
  };
}

function progressOf(
  { epochs, trainer }: TrainLoopOptions,
  { epoch, stepsPerEpoch }: Run,
  clock: { start: number; firstStep: number },
): Progress {
  const step = trainer.stepCount();
  const totalSteps = stepsPerEpoch === undefined ? undefined : stepsPerEpoch * epochs;
  const perStep = (performance.now() - clock.start) / 1000 / Math.max(1, step - clock.firstStep);
  const secondsLeft = totalSteps === undefined ? undefined : Math.max(0, totalSteps - step) * perStep;
  return { epoch, epochs, step, totalSteps, secondsLeft };
}

/** Means over the steps since the last flush. */
function stepWindow() {
  let results: Omit<StepResult, "outputs">[] = [];
  let start = performance.now();
  return {
    // Outputs would be held until the flush.
    add: ({ step, loss, losses, learningRate, gradientNorm }: StepResult): void => {
      results.push({ step, loss, losses, learningRate, gradientNorm });
    },
    count: () => results.length,
    flush() {
      const mean = (of: (result: Omit<StepResult, "outputs">) => number): number =>
        results.reduce((sum, r) => sum + of(r), 0) / results.length;
      const last = results.at(-1) as Omit<StepResult, "outputs">;
      const losses = Object.fromEntries(
        Object.keys(last.losses).map((name) => [name, mean((r) => r.losses[name] as number)]),
      );
      const seconds = (performance.now() - start) / 1000;
      const line = {
        loss: mean((r) => r.loss),
        losses,
        learningRate: last.learningRate,
        gradientNorm: mean((r) => r.gradientNorm),
        stepsPerSecond: results.length / seconds,
      };
      results = [];
      start = performance.now();
      return line;
    },
  };
}
