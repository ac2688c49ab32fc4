import type { Tensor } from "@nasty/core";
import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { inferShapes, ModelGraph } from "@nasty/graph";
import type { Modifier, ModifierState } from "../engine/modifier.js";
import { TrainingError } from "../training-error.js";
import { learnedActivation, paddingMask, staticActivation } from "./emit-activations.js";
import { type ChosenOptions, chosenOptions, type FakeQuantizationOptions } from "./options.js";
import { movingRanges, type Ranges, rangeOfStep } from "./ranges.js";
import type { QuantizationRecord, TrainedActivation } from "./record.js";
import {
  activationModeOf,
  activationNames,
  makeEmitter,
  openSites,
  prefix,
  rewriteSites,
  type RewritePlan,
} from "./rewrite.js";
import { simulateQuantization } from "./simulate.js";
import { trainedWeights } from "./weight-scales.js";

/** Fake quantization of one training. */
export interface FakeQuantization extends Modifier {
  /** Names of initializers of its own that must be among the trained ones, without weight decay. */
  readonly trained: readonly string[];
  /**
   * What a model with these weights is quantized to.
   *
   * @param state of the modifiers at the time of the weights, as a training returns it; default: of now
   */
  record(model: ModelProto, state?: ModifierState): QuantizationRecord;
  /** The model as it computes when it is rounded to the ranges of now: for validation while it trains. */
  simulate(model: ModelProto): ModelProto;
}

const inputs = {
  weightsOn: `${prefix}weights-on`,
  activationsOn: `${prefix}activations-on`,
  scales: `${prefix}scales`,
  zeroPoints: `${prefix}zero-points`,
} as const;
const ratios = `${prefix}ratios`;
const outputs = { minima: `${prefix}minima`, maxima: `${prefix}maxima` } as const;
const name = "fake-quantization";

/**
 * Trains a model as it will compute once it is quantized.
 *
 * Weights are rounded in the graph, with scales computed from their values of the step as the exporters of
 * `@nasty/compression` compute them; gradients pass straight through and go to the real weights. Activations of
 * products are rounded to uint8 with ranges that are moving averages over batches (padding left out) until they are
 * frozen, or with learned step sizes; no gradient passes where they saturate. Embeddings are rounded as looked-up rows.
 * One object serves one training.
 *
 * @throws TrainingError `invalid-option`; when the graph is rewritten `no-match` (`skipLayers`), `unsupported-opset`
 * @see B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"
 *   (2018), section 3; S. Esser et al., "Learned Step Size Quantization" (2020)
 * @example
 * ```ts
 * const qat = fakeQuantization({ bits: 8, startStep: 100, freezeStep: 1000 });
 * const trainer = await onnxEngine.load(model, { loss, optimizer, modifiers: [qat] });
 * // … train …
 * const record = qat.record(trainer.model()); // what compression's `qat` exports
 * ```
 */
export function fakeQuantization(options: FakeQuantizationOptions = {}): FakeQuantization {
  const chosen = chosenOptions(options);
  let names: readonly string[] = [];
  let ranges: Ranges = movingRanges(0, chosen);
  const learns = chosen.ranges === "learned" && chosen.fakeQuantize && chosen.bits === 8;
  /**
   * Learned step sizes as ratios to those that the moving average gave at the start; their averages, if weights have
   * any.
   */
  let current: Float32Array = new Float32Array(0);
  const isOn = (step: number): boolean => chosen.fakeQuantize && step > chosen.startStep;
  // Without a batch seen there is no range to round to.
  const isRounding = (step: number): boolean => isOn(step) && ranges.count() > 0;

  const rangesOf = (from: Ranges, factors: Float32Array): Record<string, TrainedActivation> =>
    Object.fromEntries(
      names.map((activation, i) => {
        const range = from.range(i);
        if (!learns) return [activation, range];
        return [activation, rangeOfStep(Math.fround(range.scale * (factors[i] ?? 1)), range.zeroPoint)];
      }),
    );

  const recordOf = (model: ModelProto, state?: ModifierState): QuantizationRecord => {
    const graph = ModelGraph.from(model);
    const sites = openSites(graph, chosen);
    const mode = activationModeOf(sites, chosen);
    let from = ranges;
    let factors = current;
    if (state !== undefined) {
      from = movingRanges(names.length, chosen);
      const own = (key: string): Float32Array => state[`${name}/${key}`] ?? new Float32Array(0);
      from.restore({ minima: own("minima"), maxima: own("maxima"), count: own("count") });
      factors = own("ratios");
    }
    const wanted = new Set(activationNames(graph, sites));
    if (mode === "static" && wanted.size > 0 && from.count() === 0) {
      throw new TrainingError(
        "quantization-record",
        "fakeQuantization: record: ranges: expected those of at least 1 step, got 0 steps",
      );
    }
    return {
      schemaVersion: 1,
      bits: chosen.bits,
      fakeQuantize: chosen.fakeQuantize,
      activationMode: mode,
      rangeMode: chosen.ranges,
      ...(chosen.bits === 4 ? { blockSize: chosen.blockSize } : {}),
      pairs: chosen.pairs,
      weights: trainedWeights(graph.main, sites, chosen),
      activations:
        mode === "static"
          ? Object.fromEntries(Object.entries(rangesOf(from, factors)).filter(([key]) => wanted.has(key)))
          : {},
    };
  };

  return {
    name,
    trained: learns ? [ratios] : [],
    rewrite(model) {
      const sites = openSites(model, chosen);
      const mode = activationModeOf(sites, chosen);
      names = mode === "static" ? activationNames(model, sites) : [];
      ranges = movingRanges(names.length, chosen);
      current = new Float32Array(names.length).fill(1);
      rewriteForTraining(model, { sites, mode, names, chosen, learns });
    },
    watched: () => (names.length === 0 ? [] : [outputs.minima, outputs.maxima]),
    feeds(step) {
      const flag = (on: boolean): Tensor => ({ dtype: "bool", shape: [], data: Uint8Array.of(on ? 1 : 0) });
      const all: Record<string, Tensor> = {};
      if (needsSwitch(chosen)) all[inputs.weightsOn] = flag(isOn(step));
      if (names.length === 0) return all;
      const scales = names.map((_, i) => ranges.range(i));
      return {
        ...all,
        [inputs.activationsOn]: flag(isRounding(step)),
        [inputs.scales]: {
          dtype: "float32",
          shape: [names.length],
          data: Float32Array.from(scales, ({ scale }) => scale),
        },
        [inputs.zeroPoints]: {
          dtype: "uint8",
          shape: [names.length],
          data: Uint8Array.from(scales, ({ zeroPoint }) => zeroPoint),
        },
      };
    },
    afterStep({ step, outputs: values, weights, averages }) {
      if (names.length === 0) return;
      const learned = weights.get(ratios);
      // Step sizes are learned from where the average was when rounding began.
      const settled = learns && isRounding(step);
      if (step <= chosen.freezeStep && !settled)
        ranges.observe(numbers(values[outputs.minima]), numbers(values[outputs.maxima]));
      if (learned === undefined) return;
      // A step size of 0 or less is none.
      for (let i = 0; i < learned.length; i++) learned[i] = Math.max(learned[i] as number, 1 / 64);
      current.set(averages?.get(ratios) ?? learned);
    },
    state() {
      return { ...ranges.state(), ...(learns ? { ratios: current } : {}) };
    },
    restore(arrays) {
      ranges.restore(arrays);
      if (learns) current.set(arrays["ratios"] ?? []);
    },
    record: recordOf,
    simulate: (model) => {
      if (!chosen.fakeQuantize) return model;
      return simulateQuantization(model, recordOf(model));
    },
  };
}

/** Whether weights are at first left as they are: choosing costs time in every step. */
const needsSwitch = ({ fakeQuantize, startStep }: ChosenOptions): boolean => fakeQuantize && startStep > 0;

const numbers = (tensor: Tensor | undefined): Float32Array =>
  (tensor?.data as Float32Array | undefined) ?? new Float32Array(0);

interface TrainingRewrite {
  readonly sites: ReturnType<typeof openSites>;
  readonly mode: RewritePlan["mode"];
  readonly names: readonly string[];
  readonly chosen: ChosenOptions;
  readonly learns: boolean;
}

function rewriteForTraining(
  model: ModelGraph,
  { sites, mode, names, chosen, learns }: TrainingRewrite,
): void {
  const graph = model.main;
  const emitter = makeEmitter(model);
  const { writer } = emitter;
  const hide = paddingMask(model, writer);
  const lastDimension = lastDimensions(model);
  if (needsSwitch(chosen)) graph.addInput(makeValueInfo(inputs.weightsOn, "bool", []));
  if (names.length > 0) {
    graph.addInput(makeValueInfo(inputs.activationsOn, "bool", []));
    graph.addInput(makeValueInfo(inputs.scales, "float32", [names.length]));
    graph.addInput(makeValueInfo(inputs.zeroPoints, "uint8", [names.length]));
    if (learns)
      graph.addInitializer(ratios, {
        dtype: "float32",
        shape: [names.length],
        data: new Float32Array(names.length).fill(1),
      });
    for (const [opType, output] of [
      ["ReduceMin", outputs.minima],
      ["ReduceMax", outputs.maxima],
    ] as const) {
      const each = names.map((x) => {
        const extreme = writer.op(opType, [hide.hide(x)], { keepdims: 0 });
        return writer.op("Reshape", [extreme, writer.ints([1])]);
      });
      graph.addNode({
        opType: "Concat",
        name: output,
        inputs: each,
        outputs: [output],
        attributes: { axis: 0 },
      });
    }
  }
  const plan: RewritePlan = {
    mode,
    activation(one, x, exported) {
      const index = writer.scalar(names.indexOf(exported), "int64");
      const at = (of: string): string => writer.op("Gather", [of, index], { axis: 0 });
      const zeroPoint = at(inputs.zeroPoints);
      if (!learns) return staticActivation(one, x, { scale: at(inputs.scales), zeroPoint });
      const scale = writer.op("Mul", [at(inputs.scales), at(ratios)]);
      return learnedActivation(one, x, { scale, zeroPoint, features: lastDimension(exported) });
    },
    switched({ writer: into }, kind, { rounded, real }) {
      const isRanged = kind === "activation" && mode === "static";
      const input = isRanged ? inputs.activationsOn : needsSwitch(chosen) ? inputs.weightsOn : undefined;
      return input === undefined ? rounded : into.op("Where", [input, rounded, real]);
    },
  };
  if (chosen.fakeQuantize) rewriteSites(model, sites, { options: chosen, plan, emitter });
  else graph.sort();
}

/** Features of a tensor: the size of its last dimension where the graph tells. */
function lastDimensions(model: ModelGraph): (name: string) => number {
  const types = inferShapes(model);
  return (tensor) => {
    const last = types.typeOf(model.main, tensor)?.shape?.at(-1);
    return typeof last === "number" ? last : 1;
  };
}
