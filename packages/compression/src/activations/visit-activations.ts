import { toFloat32, type Tensor } from "@nasty/core";
import type { CalibrationBatch } from "@nasty/calibration";
import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { openSession, type SessionOptions } from "@nasty/runtime";
import { CompressionError } from "../compression-error.js";
import { openForCompression } from "../files/open-for-compression.js";
import type { PlannedTensor } from "../plan/plan.js";

/** Batches as calibration takes them, from memory or streamed. */
export type Batches = AsyncIterable<CalibrationBatch> | Iterable<CalibrationBatch>;

export interface VisitOptions {
  /** Threads and the like of the session that runs the float model. */
  readonly session?: SessionOptions;
  /** Called after each batch with the sequences so far. */
  readonly onProgress?: (samples: number) => void;
}

/** Takes the activation vectors of one batch: `rows` is [count, width]; a view that is reused, copy what is kept. */
export type ActivationVisitor = (
  name: string,
  rows: Float32Array,
  count: number,
  width: number,
) => void | Promise<void>;

/** A copy of the model that returns these values of its main graph too. */
function withOutputs(model: ModelProto, names: readonly string[]): ModelProto {
  const graph = openForCompression(model);
  const { main } = graph;
  const inputs = new Set(main.inputs.map(({ name }) => name));
  for (const name of names) {
    if (!inputs.has(name) && !main.isOutput(name)) {
      main.addOutput(makeValueInfo(name, "float32"));
    }
  }
  return graph.toModel();
}

/** The vectors along the last axis that belong to real tokens, moved together. */
export function realRows(
  value: Tensor,
  mask: Tensor | undefined,
): { readonly rows: Float32Array; readonly count: number } {
  const data = value.dtype === "float32" ? (value.data as Float32Array) : toFloat32(value);
  const width = value.shape.at(-1) ?? 1;
  const count = width === 0 ? 0 : data.length / width;
  const positions = mask === undefined ? 0 : mask.data.length;
  if (mask === undefined || positions !== count) {
    return { rows: data, count };
  }
  const real = mask.data as ArrayLike<number | bigint>;
  let kept = 0;
  const rows = new Float32Array(data.length);
  for (let row = 0; row < count; row++) {
    if (Number(real[row]) === 0) continue;
    rows.set(data.subarray(row * width, (row + 1) * width), kept * width);
    kept++;
  }
  return { rows: rows.subarray(0, kept * width), count: kept };
}

/**
 * Runs the float model over batches and shows each named activation's vectors, padding left out; one batch is held at a time.
 *
 * @param names values of the main graph, inputs of the graph included
 * @returns sequences that were run
 */
export async function visitActivations(
  model: ModelProto,
  names: readonly string[],
  batches: Batches,
  visit: ActivationVisitor,
  { session: sessionOptions, onProgress }: VisitOptions = {},
): Promise<number> {
  const session = await openSession(withOutputs(model, names), sessionOptions);
  let samples = 0;
  try {
    const fed = new Set(session.inputs.map(({ name }) => name));
    const outputs = names.filter((name) => !fed.has(name));
    for await (const { feeds, mask } of batches) {
      const values = { ...feeds, ...(await session.run(feeds, outputs)) };
      for (const name of names) {
        const value = values[name];
        if (value === undefined) continue;
        const { rows, count } = realRows(value, mask);
        await visit(name, rows, count, value.shape.at(-1) ?? 1);
      }
      samples += mask?.shape[0] ?? Object.values(feeds)[0]?.shape[0] ?? 1;
      onProgress?.(samples);
    }
  } finally {
    await session.close();
  }
  return samples;
}

/** Keeps batches (token ids, not activations) until they hold `limit` sequences. */
export async function collectBatches(batches: Batches, limit: number): Promise<CalibrationBatch[]> {
  const kept: CalibrationBatch[] = [];
  let samples = 0;
  for await (const batch of batches) {
    kept.push(batch);
    samples += batch.mask?.shape[0] ?? Object.values(batch.feeds)[0]?.shape[0] ?? 1;
    if (samples >= limit) break;
  }
  return kept;
}

/** @throws CompressionError `no-calibration-data` */
export function requireBatches(operation: string, batches: Batches | undefined): Batches {
  if (batches === undefined) {
    throw new CompressionError(
      "no-calibration-data",
      `${operation}: calibrationData: expected batches to run the float model on, got none`,
    );
  }
  return batches;
}

/** The activation that a planned product multiplies, by the weight's name; weights that no product of the main graph reads are left out. */
export function activationsOfWeights(
  model: ModelProto,
  tensors: readonly PlannedTensor[],
): Map<PlannedTensor, string> {
  const { main } = openForCompression(model);
  const found = new Map<PlannedTensor, string>();
  for (const planned of tensors) {
    for (const { op, output, graph } of planned.sites) {
      if ((op !== "MatMul" && op !== "Gemm") || graph !== main.path) continue;
      const node = main.producer(output);
      const input = node?.input[0];
      const isTransposed = node?.attribute.some(({ name, i }) => name === "transA" && i !== 0n) === true;
      if (input !== undefined && input !== "" && !isTransposed) found.set(planned, input);
    }
  }
  return found;
}
