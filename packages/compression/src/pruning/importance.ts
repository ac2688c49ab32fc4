import type { Tensor } from "@nasty/core";
import { type ModelProto, tensorFromProto } from "@nasty/formats/onnx";
import { splitGemm } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import { type Batch, buildTrainingGraph, type Loss } from "@nasty/training";
import { CompressionError } from "../compression-error.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { Projection } from "./trace.js";
import { matrixView } from "./slice.js";

/** What importance is measured on. */
export interface ImportanceData {
  /** The loss, as training takes it; a wrongly removed unit raises it. */
  readonly loss: Loss | readonly Loss[];
  /** Feeds with the model's inputs and the loss's. */
  readonly batches: Iterable<Batch> | AsyncIterable<Batch>;
  /** Most batches to take. */
  readonly limit?: number;
  /** Default 1. */
  readonly threads?: number;
}

/** Rows of a second weight that make one unit together: a neuron has one, a head `width`. */
export interface UnitRows {
  /** The product that reads the units. */
  readonly reader: Projection;
  readonly rowsPerUnit: number;
  /** Products whose columns make the units. */
  readonly makers: readonly Projection[];
}

/**
 * Importance by magnitude: √(Σ w²) over the rows and columns of a unit.
 *
 * @returns one figure a unit, for every layer given
 */
export function magnitudeImportance(layers: readonly UnitRows[]): Float64Array[] {
  return layers.map(({ reader, rowsPerUnit, makers }) => {
    const units = new Float64Array(reader.inputs / rowsPerUnit);
    const rows = matrixView(reader.weight);
    for (let row = 0; row < reader.inputs; row++) {
      for (let column = 0; column < reader.outputs; column++) {
        add(units, row / rowsPerUnit, rows(row, column) ** 2);
      }
    }
    for (const maker of makers) {
      const columns = matrixView(maker.weight);
      const perUnit = maker.outputs / units.length;
      for (let row = 0; row < maker.inputs; row++) {
        for (let column = 0; column < maker.outputs; column++) {
          add(units, column / perUnit, columns(row, column) ** 2);
        }
      }
    }
    return units.map(Math.sqrt);
  });
}

function add(units: Float64Array, position: number, value: number): void {
  const unit = Math.floor(position);
  units[unit] = (units[unit] as number) + value;
}

/**
 * First-order importance on data: how much the loss would change, to first order, without the unit.
 *
 *     I(u) = mean over batches of |Σ_{t, i ∈ u} aₜᵢ · ∂L/∂aₜᵢ| = mean |Σ_{i ∈ u, j} Wᵢⱼ · ∂L/∂Wᵢⱼ|
 *
 * a are the activations of the unit (a head's part of the joined heads, a neuron's activation) and W the weight that
 * reads them: both sums are equal, so gradients of weights suffice.
 *
 * @throws CompressionError `no-calibration-data` without a batch; TrainingError for losses and operators that cannot be
 *   differentiated
 * @see P. Michel, O. Levy and G. Neubig, "Are Sixteen Heads Really Better than One?" (2019), equation 2; P. Molchanov
 *   et al., "Pruning Convolutional Neural Networks for Resource Efficient Inference" (2017), equation 8
 */
export async function firstOrderImportance(
  model: ModelProto,
  layers: readonly UnitRows[],
  { loss, batches, limit = Number.POSITIVE_INFINITY, threads = 1 }: ImportanceData,
): Promise<Float64Array[]> {
  const names = layers.map(({ reader }) => reader.weight.name);
  const prepared = withInitializers(model, new Set(names));
  const training = buildTrainingGraph(prepared, { loss, trainable: names });
  const weights = weightFeeds(prepared, names);
  const gradients = new Map(training.weights.map(({ name, dense }) => [name, dense]));
  const sums = layers.map(({ reader, rowsPerUnit }) => new Float64Array(reader.inputs / rowsPerUnit));
  const outputs = [...new Set(gradients.values())].filter((name) => name !== undefined);
  const session = await openSession(training.model, { threads });
  let count = 0;
  try {
    for await (const batch of batches) {
      if (count >= limit) {
        break;
      }
      const results = await session.run({ ...weights, ...batch }, outputs);
      for (const [index, layer] of layers.entries()) {
        const gradient = results[gradients.get(layer.reader.weight.name) ?? ""];
        accumulate(sums[index] as Float64Array, layer, gradient?.data as Float32Array);
      }
      count++;
    }
  } finally {
    await session.close();
  }
  if (count === 0) {
    throw new CompressionError(
      "no-calibration-data",
      "pruner.plan: data: batches: expected at least one to measure importance on, got none",
    );
  }
  return sums.map((units) => units.map((sum) => sum / count));
}

/** Adds |Σ w·g| of every unit. */
function accumulate(units: Float64Array, { reader, rowsPerUnit }: UnitRows, gradient: Float32Array): void {
  const weight = matrixView(reader.weight);
  const slope = matrixView({
    tensor: { dtype: "float32", shape: reader.weight.tensor.shape, data: gradient },
    perm: reader.weight.perm,
  });
  const sums = new Float64Array(units.length);
  for (let row = 0; row < reader.inputs; row++) {
    let sum = 0;
    for (let column = 0; column < reader.outputs; column++) {
      sum += weight(row, column) * slope(row, column);
    }
    add(sums, row / rowsPerUnit, sum);
  }
  for (const [unit, sum] of sums.entries()) {
    add(units, unit, Math.abs(sum));
  }
}

/**
 * The model as the encoder sees it, with Constant nodes among the weights made initializers: only those have gradients.
 */
function withInitializers(model: ModelProto, names: ReadonlySet<string>): ModelProto {
  const graph = openForCompression(model);
  splitGemm(graph);
  for (const name of names) {
    const node = graph.main.producer(name);
    const value = graph.main.constant(name);
    if (node !== undefined && value !== undefined) {
      graph.main.removeNode(node);
      graph.main.setInitializer(name, value);
    }
  }
  return graph.toModel();
}

function weightFeeds(model: ModelProto, names: readonly string[]): Record<string, Tensor> {
  const wanted = new Set(names);
  const initializers = model.graph?.initializer ?? [];
  return Object.fromEntries(
    initializers.filter(({ name }) => wanted.has(name)).map((proto) => [proto.name, tensorFromProto(proto)]),
  );
}
