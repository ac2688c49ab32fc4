import { type CalibrationBatch, tapActivations } from "@nasty/calibration";
import { dataTypeName, intAttribute, type ModelProto, type NodeProto } from "@nasty/formats/onnx";
import { type Graph, inferShapes, ModelGraph } from "@nasty/graph";
import { openSession, type Session, type SessionOptions } from "@nasty/runtime";
import { openForCompression, weightInputs } from "../files/open-for-compression.js";
import { resolveWeight } from "../plan/resolve-weight.js";
import { tappedAtOnce } from "./tapped-at-once.js";

/** A layer of both models: how far what it gives is from the original's. */
export interface LayerNoise {
  /** The node of the original that reads the weight: its name, or the value's. */
  readonly node: string;
  readonly op: string;
  /** The first value behind it that both models have under one name. */
  readonly value: string;
  readonly weights: readonly string[];
  /** Σ(a − b)² / Σa² of the value: a the original's, b the other's; Infinity where b is not finite and a is. */
  readonly noise: number;
  /** The same of what goes into the layer, the largest; 0 of inputs of the model. */
  readonly noiseBefore: number;
  /** How much noise weights of that many bits never leave. */
  readonly mostNoise: number;
}

type Open = (model: ModelProto, options: SessionOptions) => Promise<Session>;

export interface LayerNoiseOptions {
  /** Opens the model that is judged. Default `openSession`. */
  readonly open?: Open;
  /** Default 1. */
  readonly threads?: number;
  /** Looked at before each run. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs two forms of one model and measures the noise of each layer that has weights, in the order of the original.
 *
 * Layers are matched by the names of values, which quantizers keep: a product whose own value is gone (its bias was
 * joined to it) is judged by the next value that is there. Layers without such a value are left out, and so are values
 * of another size.
 *
 * @param original its float form
 * @param written the other: an int8 or int4 file of it
 * @param batch what both are run on
 * @throws RuntimeError if a model cannot be opened or run
 */
export async function layerNoise(
  original: ModelProto,
  written: ModelProto,
  batch: CalibrationBatch,
  { open = openSession, threads = 1, signal }: LayerNoiseOptions = {},
): Promise<readonly LayerNoise[]> {
  const [before, after] = [openForCompression(original), ModelGraph.from(written)];
  const shared = sharedValues(before, after);
  const layers = layersOf(before.main, shared);
  const names = [...new Set(layers.flatMap(({ value, inputs }) => [...inputs, value]))];
  const noise = new Map<string, number>();
  const [left, right] = [before.toModel(), after.toModel()];
  for (let at = 0; at < names.length; at += tappedAtOnce) {
    const some = names.slice(at, at + tappedAtOnce);
    const options = { threads, ...(signal !== undefined && { signal }) };
    const values = await valuesOf(left, some, batch, { ...options, open: openSession });
    const others = await valuesOf(right, some, batch, { ...options, open });
    for (const name of some) {
      const found = noiseOf(values.get(name), others.get(name));
      if (found !== undefined) noise.set(name, found);
    }
  }
  return layers.flatMap(({ inputs, ...layer }) => {
    const own = noise.get(layer.value);
    const above = inputs.map((name) => noise.get(name) ?? 0);
    if (own === undefined) return [];
    const mostNoise = hasFourBits(after.main, layer.value, shared) ? mostOfBits.four : mostOfBits.eight;
    return [{ ...layer, noise: own, noiseBefore: Math.max(0, ...above), mostNoise }];
  });
}

/** Float values of the main graphs that have one name in both. */
function sharedValues(before: ModelGraph, after: ModelGraph): ReadonlySet<string> {
  const [types, others] = [inferShapes(before), inferShapes(after)];
  const isShared = (value: string): boolean =>
    types.typeOf(before.main, value)?.dtype === "float32" &&
    after.main.producer(value) !== undefined &&
    (others.typeOf(after.main, value)?.dtype ?? "float32") === "float32";
  return new Set(before.main.nodes.flatMap(({ output }) => output.filter(isShared)));
}

interface Layer extends Omit<LayerNoise, "noise" | "noiseBefore" | "mostNoise"> {
  /** The nearest shared values that it is computed from. */
  readonly inputs: readonly string[];
}

function layersOf(graph: Graph, shared: ReadonlySet<string>): readonly Layer[] {
  return graph.nodes.flatMap((node): readonly Layer[] => {
    const weights = weightsOf(graph, node);
    const value = weights.length === 0 ? undefined : sharedBehind(graph, node, shared);
    if (value === undefined) return [];
    const inputs = [...sharedBefore(graph, node, shared)];
    return [{ node: node.name || value, op: node.opType, value, weights, inputs }];
  });
}

function weightsOf(graph: Graph, { opType, input }: NodeProto): readonly string[] {
  const places = weightInputs.get(opType) ?? [];
  return places.map((index) => input[index] ?? "").filter((name) => resolveWeight(graph, name) !== undefined);
}

/** The value of a node, or of the only one that reads it, and so on. */
function sharedBehind(graph: Graph, node: NodeProto, shared: ReadonlySet<string>): string | undefined {
  for (let value = node.output[0] ?? ""; ; ) {
    if (shared.has(value)) return value;
    const [use, ...others] = graph.consumers(value);
    if (use === undefined || others.length > 0 || use.graph !== graph) return undefined;
    value = use.node.output[0] ?? "";
  }
}

/** Whether weights of 4 bits go into a value, behind the shared values before it. */
function hasFourBits(graph: Graph, value: string, shared: ReadonlySet<string>): boolean {
  const seen = new Set<string>();
  const pending = [value];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const type = graph.initializer(name)?.dataType;
    if (type !== undefined && fourBitTypes.has(dataTypeName(type))) return true;
    const node = graph.producer(name);
    if (node === undefined) continue;
    if (blockOperators.has(node.opType) && intAttribute(node, "bits", 4) === 4) return true;
    pending.push(...node.input.filter((input) => !shared.has(input)));
  }
  return false;
}

const fourBitTypes: ReadonlySet<string> = new Set(["INT4", "UINT4"]);
const blockOperators: ReadonlySet<string> = new Set(["MatMulNBits", "GatherBlockQuantized"]);

/** The nearest shared values above a node. */
function sharedBefore(graph: Graph, node: NodeProto, shared: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  const pending = [...node.input];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    if (shared.has(name)) found.add(name);
    else pending.push(...(graph.producer(name)?.input ?? []));
  }
  return found;
}

interface TapOptions {
  readonly open: Open;
  readonly threads: number;
  readonly signal?: AbortSignal;
}

async function valuesOf(
  model: ModelProto,
  names: readonly string[],
  batch: CalibrationBatch,
  options: TapOptions,
): Promise<ReadonlyMap<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  await tapActivations(model, names, [batch], (value) => void values.set(value.name, value.real().slice()), {
    ...options,
    constants: true,
  });
  return values;
}

function noiseOf(a: Float32Array | undefined, b: Float32Array | undefined): number | undefined {
  if (a === undefined || b === undefined || a.length !== b.length) return undefined;
  let [signal, noise] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    // What the original has infinite (a masked score) says nothing.
    if (!Number.isFinite(x)) continue;
    if (!Number.isFinite(y)) return Number.POSITIVE_INFINITY;
    signal += x * x;
    noise += (x - y) ** 2;
  }
  if (noise === 0) return 0;
  return noise / signal;
}

/**
 * 13 dB with 8 bits, 7 dB with 4. Sound files have 32 and 18 dB or more in every layer (bench/layer-noise.mjs); scales
 * that are twice what they should be leave 0 dB of a product, and 8 to 11 dB of a recurrent layer, whose values are
 * bounded.
 */
const mostOfBits = { eight: 0.05, four: 0.2 } as const;

/** A layer whose inputs are nearly as noisy is not where the noise comes from. */
const leastJump = 4;

/**
 * The first layer whose signal sinks into noise while its inputs still have theirs.
 *
 * @example collapsedLayer(await layerNoise(original, written, batch))?.node; // "/encoder/layer.3/output/dense/MatMul"
 */
export function collapsedLayer(layers: readonly LayerNoise[]): LayerNoise | undefined {
  return layers.find(
    ({ noise, noiseBefore, mostNoise }) => noise > mostNoise && noise > leastJump * noiseBefore,
  );
}
