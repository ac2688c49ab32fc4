import { type CalibrationBatch, tapActivations } from "@nasty/calibration";
import type { ModelProto } from "@nasty/formats/onnx";
import { inferShapes, ModelGraph } from "@nasty/graph";
import { RuntimeError } from "@nasty/runtime";
import { openForCompression } from "../files/open-for-compression.js";
import { type DriftOptions, once } from "./drift.js";
import { isMisscaled, likeness } from "./likeness.js";
import { tappedAtOnce } from "./tapped-at-once.js";

/** What counts as departing. */
export interface DepartureOptions extends DriftOptions {
  readonly minCosine: number;
  /** Whether values that are larger than they should be do too. Default false. */
  readonly sizes?: boolean;
}

/** A value in the middle of both graphs. */
export interface Departure {
  /** The node that makes it: its name, or the value's. */
  readonly node: string;
  readonly op: string;
  readonly value: string;
  readonly cosine: number;
  /** As that of an output: 2 for values of twice the size. */
  readonly gain: number;
}

/**
 * The first node, in the order of the original graph, whose value is less alike than it may be.
 *
 * Looks at the values that both graphs have under one name, on one batch, a few at a time.
 *
 * @returns undefined if no inner value is, or if the models cannot be tapped
 */
export async function firstDeparture(
  original: ModelProto,
  written: ModelProto,
  batch: CalibrationBatch,
  { minCosine, sizes = false, threads = 1 }: DepartureOptions,
): Promise<Departure | undefined> {
  const [before, after] = [openForCompression(original), ModelGraph.from(written)];
  const [types, writtenTypes] = [inferShapes(before), inferShapes(after)];
  // Of operators beyond the standard inference knows no types.
  const isShared = (value: string): boolean =>
    types.typeOf(before.main, value)?.dtype === "float32" &&
    after.main.defines(value) &&
    (writtenTypes.typeOf(after.main, value)?.dtype ?? "float32") === "float32";
  const shared = before.main.nodes.flatMap((node) =>
    node.output.filter(isShared).map((value) => ({ node, value })),
  );
  for (let at = 0; at < shared.length; at += tappedAtOnce) {
    const some = shared.slice(at, at + tappedAtOnce);
    const names = some.map(({ value }) => value);
    const a = await tapped(before, names, batch, threads);
    const b = await tapped(after, names, batch, threads);
    for (const { node, value } of some) {
      const [left, right] = [a?.get(value), b?.get(value)];
      if (left === undefined || right === undefined) continue;
      const found = likeness(left, right);
      if (found.cosine < minCosine || (sizes && isMisscaled(found))) {
        return { node: node.name || value, op: node.opType, value, ...found };
      }
    }
  }
  return undefined;
}

/** All named values of the main graph; undefined where the runtime cannot give them. */
async function tapped(
  graph: ModelGraph,
  names: readonly string[],
  batch: CalibrationBatch,
  threads: number,
): Promise<Map<string, Float32Array[]> | undefined> {
  const values = new Map<string, Float32Array[]>();
  const session = { optimization: "none", config: once } as const;
  try {
    await tapActivations(
      graph.toModel(),
      names,
      [batch],
      (value) => void values.set(value.name, [value.real().slice()]),
      { threads, session, constants: true },
    );
    return values;
  } catch (error) {
    if (error instanceof RuntimeError) return undefined;
    throw error;
  }
}
