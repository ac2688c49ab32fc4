import { TrainingError } from "../training-error.js";
import { gradientBuffer, type GradientBuffer, type GradientOfWeight } from "./gradient-buffer.js";
import { adamKernel, averageKernel, scaleKernel, sgdKernel, squaresKernel, tinyMoment } from "./kernels.js";
import { type OptimizerOptions, settingsOf, type WeightSettings } from "./optimizer-options.js";
import { scheduleFactor } from "./schedule.js";
import { type VectorMemory, vectorMemory } from "./vector-memory.js";

/** Arrays by name, all that an optimizer carries from step to step. */
export interface OptimizerState {
  readonly step: number;
  readonly arrays: Readonly<Record<string, Float32Array | Int32Array>>;
}

export interface OptimizerWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Changed in place by every step. */
  readonly values: Float32Array;
}

export interface OptimizerResult {
  readonly learningRate: number;
  /** Global norm of the gradients before clipping. */
  readonly gradientNorm: number;
}

export interface Optimizer {
  /**
   * Updates the weights.
   *
   * @throws TrainingError `non-finite-loss` if the gradient norm is not finite; the weights are as before then.
   */
  step(gradients: ReadonlyMap<string, GradientOfWeight>): OptimizerResult;
  /** Steps done. */
  count(): number;
  /** The running averages of the weights, if they are kept. */
  averages(): ReadonlyMap<string, Float32Array> | undefined;
  /** Views of the arrays, not copies. */
  state(): OptimizerState;
  /** @throws TrainingError `checkpoint-mismatch` naming the array. */
  restore(state: OptimizerState): void;
}

interface Slot extends OptimizerWeight, WeightSettings {
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly average: Float32Array | undefined;
  readonly width: number;
  /** For lazy tables: the step after which each row is up to date. */
  readonly lastStep: Int32Array | undefined;
  /** Where all arrays of the weight lie, if WebAssembly can work on them. */
  readonly memory: VectorMemory | undefined;
  buffer: GradientBuffer | undefined;
}

const none = new Float32Array(0);

/**
 * An optimizer over weights that it changes in place.
 *
 * @param memory from `optimizerMemory`, with the weights allocated in it: AdamW and averages then run in WebAssembly,
 *   in float32; elsewhere the same loops run in JavaScript, which rounds less and takes about twice as long
 * @throws TrainingError `invalid-option` for a learning rate that is not a positive number.
 * @example
 * ```ts
 * const w = Float32Array.of(1, 2);
 * const optimizer = createOptimizer([{ name: "w", shape: [2], values: w }], { kind: "sgd", learningRate: 0.5 });
 * optimizer.step(new Map([["w", { dense: Float32Array.of(1, 1), rows: [] }]])); // w is [0.5, 1.5]
 * ```
 */
export function createOptimizer(
  weights: readonly OptimizerWeight[],
  options: OptimizerOptions,
  memory?: VectorMemory,
): Optimizer {
  if (!(options.learningRate > 0 && Number.isFinite(options.learningRate))) {
    throw new TrainingError(
      "invalid-option",
      `createOptimizer: learningRate: expected a positive number, got ${options.learningRate}`,
    );
  }
  const slots = weights.map((weight) => slotOf(weight, options, memory)).filter(({ frozen }) => !frozen);
  let steps = 0;

  return {
    step(gradients) {
      const found = slots.map((slot) => collect(slot, gradients.get(slot.name)));
      let squares = 0;
      for (const [i, slot] of slots.entries()) squares += squaresOf(slot, found[i]);
      const gradientNorm = Math.sqrt(squares);
      if (!Number.isFinite(gradientNorm)) {
        for (const { buffer } of slots) buffer?.clear();
        throw new TrainingError(
          "non-finite-loss",
          `step ${steps + 1}: gradient norm: expected a finite number, got ${gradientNorm}`,
          { step: steps + 1 },
        );
      }
      steps += 1;
      const limit = options.clipNorm ?? Infinity;
      const scale = gradientNorm > limit ? limit / gradientNorm : 1;
      const learningRate = options.learningRate * scheduleFactor(options.schedule ?? {}, steps);
      for (const [i, slot] of slots.entries()) {
        const gradient = found[i];
        if (gradient === undefined) continue;
        update(slot, gradient, { options, steps, scale, learningRate });
        slot.buffer?.clear();
      }
      if (options.averageDecay !== undefined) {
        const decay = Math.min(options.averageDecay, (1 + steps) / (10 + steps));
        for (const { average, values } of slots)
          if (average !== undefined) averageOf(average, values, { decay, memory });
      }
      return { learningRate, gradientNorm };
    },
    count: () => steps,
    averages() {
      if (options.averageDecay === undefined) return undefined;
      return new Map(slots.map(({ name, average }) => [name, average as Float32Array]));
    },
    state: () => ({ step: steps, arrays: arraysOf(slots) }),
    restore(state) {
      const own = arraysOf(slots);
      for (const [name, array] of Object.entries(own)) {
        const saved = state.arrays[name];
        if (saved?.length !== array.length) {
          throw new TrainingError(
            "checkpoint-mismatch",
            `restore: optimizer state ${JSON.stringify(name)}: expected ${array.length} elements, got ${saved?.length ?? "none"}`,
          );
        }
      }
      for (const [name, array] of Object.entries(own)) array.set(state.arrays[name] as Float32Array);
      steps = state.step;
    },
  };
}

function slotOf(weight: OptimizerWeight, options: OptimizerOptions, memory: VectorMemory | undefined): Slot {
  const settings = settingsOf(weight.name, options);
  const size = weight.values.length;
  const isLazy = weight.shape.length === 2 && size >= (options.lazyFrom ?? 2 ** 21);
  const zeros = (wanted: boolean): Float32Array => {
    if (!wanted || settings.frozen) return none;
    return memory?.allocate(size) ?? new Float32Array(size);
  };
  const average = zeros(options.averageDecay !== undefined);
  average.set(weight.values.subarray(0, average.length));
  return {
    ...weight,
    ...settings,
    memory,
    m: zeros(true),
    v: zeros(options.kind !== "sgd"),
    average: average.length === size ? average : undefined,
    width: weight.shape.length === 2 ? (weight.shape[1] as number) : size,
    lastStep: isLazy ? new Int32Array(weight.shape[0] as number) : undefined,
    buffer: undefined,
  };
}

/**
 * Memory for weights of these lengths and all that the optimizer keeps of them; allocate the weights in it, and after
 * `createOptimizer` their gradients: there is room for one each, unless all together are too much.
 */
export function optimizerMemory(
  lengths: readonly number[],
  options: OptimizerOptions,
): VectorMemory | undefined {
  const arrays = 1 + (options.kind === "sgd" ? 1 : 2) + (options.averageDecay === undefined ? 0 : 1);
  const own = lengths.flatMap((length) => Array.from({ length: arrays }, () => length));
  return vectorMemory([...own, ...lengths]) ?? vectorMemory(own);
}

function averageOf(
  average: Float32Array,
  values: Float32Array,
  { decay, memory }: { readonly decay: number; readonly memory: VectorMemory | undefined },
): void {
  const isShared = memory?.owns(average) === true && memory.owns(values);
  const even = isShared ? values.length & ~3 : 0;
  if (isShared) memory.average(average, values, { gain: 1 - decay, length: even });
  averageKernel(average, values, { decay, start: even, end: values.length });
}

/** The gradient as one array: the dense one as it is, or rows added up (to the dense one, if both are there). */
function collect(slot: Slot, gradient: GradientOfWeight | undefined): Float32Array | undefined {
  if (gradient === undefined) return undefined;
  if (gradient.rows.length === 0) return gradient.dense;
  if (gradient.dense !== undefined) {
    const sum = gradientBuffer(slot.values.length / slot.width, slot.width);
    for (const rows of gradient.rows) sum.add(rows);
    for (let i = 0; i < sum.data.length; i++)
      sum.data[i] = (sum.data[i] as number) + (gradient.dense[i] as number);
    return sum.data;
  }
  slot.buffer ??= gradientBuffer(
    slot.values.length / slot.width,
    slot.width,
    slot.memory?.allocate(slot.values.length),
  );
  for (const rows of gradient.rows) slot.buffer.add(rows);
  return slot.buffer.data;
}

function squaresOf({ buffer, memory }: Slot, gradient: Float32Array | undefined): number {
  if (gradient === undefined) return 0;
  if (buffer?.data === gradient) return buffer.squares();
  const even = memory?.owns(gradient) === true ? gradient.length & ~7 : 0;
  const start = even > 0 ? (memory as VectorMemory).squares(gradient, even) : 0;
  return start + squaresKernel(gradient, { start: even, end: gradient.length });
}

interface Update {
  readonly options: OptimizerOptions;
  readonly steps: number;
  readonly scale: number;
  readonly learningRate: number;
}

function update(slot: Slot, gradient: Float32Array, at: Update): void {
  const { buffer, lastStep, width } = slot;
  if (lastStep === undefined || buffer?.data !== gradient) {
    updateSpan(slot, gradient, { ...at, start: 0, end: gradient.length });
    return;
  }
  const count = buffer.touchedCount();
  for (let k = 0; k < count; k++) {
    const row = buffer.touched[k] as number;
    const span = { start: row * width, end: (row + 1) * width };
    catchUp(slot, span, { missed: at.steps - 1 - (lastStep[row] as number), options: at.options });
    updateSpan(slot, gradient, { ...at, ...span });
    lastStep[row] = at.steps;
  }
}

/** Decays the moments of a row for the steps in which it had no gradient. */
function catchUp(
  { m, v }: Slot,
  span: { start: number; end: number },
  { missed, options }: { missed: number; options: OptimizerOptions },
): void {
  if (missed <= 0) return;
  if (options.kind === "sgd") {
    scaleKernel(m, (options.momentum ?? 0) ** missed, span);
    return;
  }
  scaleKernel(m, (options.beta1 ?? 0.9) ** missed, span);
  scaleKernel(v, (options.beta2 ?? 0.999) ** missed, span);
}

function updateSpan(
  slot: Slot,
  gradient: Float32Array,
  { options, steps, scale, learningRate, start, end }: Update & { start: number; end: number },
): void {
  const { values, m, v, weightDecay } = slot;
  const rate = learningRate * slot.learningRateFactor;
  if (options.kind === "sgd") {
    const { momentum = 0, nesterov = false } = options;
    sgdKernel(values, gradient, m, { rate, momentum, nesterov, decay: weightDecay, scale, start, end });
    return;
  }
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const correction = Math.sqrt(1 - beta2 ** steps);
  const step = {
    beta1,
    beta2,
    size: (rate * correction) / (1 - beta1 ** steps),
    epsilon: epsilon * correction,
    shrink: options.kind === "adamw" ? 1 - rate * weightDecay : 1,
    coupled: options.kind === "adam" ? weightDecay : 0,
    scale,
    // Without ε a step is m/√v, to which no moment is too small.
    tiny: epsilon >= 1e-12 ? tinyMoment : 0,
  };
  const even = start + ((end - start) & ~3);
  const isLong = end - start >= vectorFrom && step.coupled === 0;
  const split =
    isLong && slot.memory?.owns(values) && slot.memory.owns(m) && slot.memory.owns(v) ? even : start;
  if (split > start) {
    const gains = [(1 - beta1) * scale, (1 - beta2) * scale * scale] as const;
    const scalars = [
      beta1,
      gains[0],
      beta2,
      gains[1],
      step.size,
      step.epsilon,
      step.shrink,
      step.tiny,
    ] as const;
    slot.memory?.adam({ w: values, g: gradient, m, v }, scalars, { start, end: split });
  }
  adamKernel(values, gradient, { m, v }, { ...step, start: split, end });
}

/** Shorter spans (narrow rows of a table) are not worth a call. */
const vectorFrom = 128;

function arraysOf(slots: readonly Slot[]): Record<string, Float32Array | Int32Array> {
  const arrays: Record<string, Float32Array | Int32Array> = {};
  for (const { name, m, v, average, lastStep } of slots) {
    if (m.length > 0) arrays[`${name}:first`] = m;
    if (v.length > 0) arrays[`${name}:second`] = v;
    if (average !== undefined) arrays[`${name}:average`] = average;
    if (lastStep !== undefined) arrays[`${name}:steps`] = lastStep;
  }
  return arrays;
}
