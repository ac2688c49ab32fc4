import { type Batches, type ModelTapOptions, tapActivations, type Vectors } from "@nasty/calibration";
import type { ModelProto } from "@nasty/formats/onnx";
import { CompressionError } from "../compression-error.js";
import { openForCompression } from "../files/open-for-compression.js";

/** How the float model is run over batches. */
export type RunOptions = Pick<ModelTapOptions, "threads" | "signal" | "onProgress">;

/** Takes the vectors of one activation in one run; a view that is reused, copy what is kept. */
export type VectorVisitor = (name: string, vectors: Vectors) => void | Promise<void>;

/**
 * Runs the float model, as every step opens it, and shows each named activation's vectors of real tokens:
 * {@link tapActivations}.
 *
 * @param names values of the main graph, inputs of the graph included
 * @returns samples that were run
 */
export function visitVectors(
  model: ModelProto,
  names: readonly string[],
  batches: Batches,
  visit: VectorVisitor,
  options: RunOptions = {},
): Promise<number> {
  const opened = openForCompression(model).toModel();
  // Some products have a constant on the left: distances between positions, say.
  const tapped = { ...options, constants: true };
  return tapActivations(opened, names, batches, (value) => visit(value.name, value.vectors()), tapped);
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
