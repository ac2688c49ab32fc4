import { tensor } from "@nasty/core";
import type { CalibrationBatch } from "@nasty/calibration";
import { makeGraph, makeModel, makeNode, makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { openSession, type Session } from "@nasty/runtime";
import { type RunOptions, visitVectors } from "./visit-vectors.js";

/** Rows that are multiplied at once: float32 sums stay short, float64 additions few. */
const chunkRows = 1024;

/** XᵀX on the runtime's matrix kernel, tens of times faster than loops. */
function gramSession(threads: number): Promise<Session> {
  const graph = makeGraph("gram", {
    nodes: [
      makeNode("Transpose", ["x"], ["t"], { attributes: { perm: [1n, 0n] } }),
      makeNode("MatMul", ["t", "x"], ["gram"]),
    ],
    inputs: [makeValueInfo("x", "float32", ["rows", "width"])],
    outputs: [makeValueInfo("gram", "float32", ["width", "width"])],
    initializers: [],
  });
  return openSession(makeModel(graph, { opsets: { "": 17 }, irVersion: 8 }), { threads });
}

interface Gathering {
  readonly width: number;
  readonly pending: Float32Array;
  rows: number;
  readonly sum: Float64Array;
}

/**
 * Second moments Σ x xᵀ of activations over all real tokens of the batches.
 *
 * @returns for each activation float64 [width, width]; memory is 8·width² bytes each, whatever the number of batches
 */
export async function gramMatrices(
  model: ModelProto,
  names: readonly string[],
  batches: readonly CalibrationBatch[],
  options: RunOptions = {},
): Promise<Map<string, Float64Array>> {
  const session = await gramSession(options.threads ?? 1);
  const gathered = new Map<string, Gathering>();
  const flush = async (entry: Gathering): Promise<void> => {
    if (entry.rows === 0) return;
    const { width, pending, sum, rows } = entry;
    const x = tensor("float32", [rows, width], pending.slice(0, rows * width));
    const { gram } = await session.run({ x });
    const values = gram?.data as Float32Array;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (values[i] as number);
    entry.rows = 0;
  };
  try {
    await visitVectors(
      model,
      names,
      batches,
      async (name, { data: rows, count, width }) => {
        let entry = gathered.get(name);
        if (entry === undefined) {
          entry = {
            width,
            pending: new Float32Array(chunkRows * width),
            rows: 0,
            sum: new Float64Array(width * width),
          };
          gathered.set(name, entry);
        }
        for (let from = 0; from < count; ) {
          const taken = Math.min(count - from, chunkRows - entry.rows);
          entry.pending.set(rows.subarray(from * width, (from + taken) * width), entry.rows * width);
          entry.rows += taken;
          from += taken;
          if (entry.rows === chunkRows) await flush(entry);
        }
      },
      options,
    );
    for (const entry of gathered.values()) await flush(entry);
  } finally {
    await session.close();
  }
  return new Map([...gathered].map(([name, { sum }]) => [name, sum]));
}
