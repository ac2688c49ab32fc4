import { CoreError } from "../core-error.js";
import type { Tensor } from "../tensor.js";

/** An 8-bit tensor with the scales and zero points that an ONNX node gives as further inputs. */
export interface QuantizedOperand {
  readonly values: Tensor<"int8" | "uint8">;
  /** One, or one for each row of the left operand (column of the right one, output channel of a kernel). */
  readonly scale: Float32Array;
  /** As many as scales, or one. */
  readonly zeroPoint: Int32Array;
}

/** Scale, zero point and type of a result. */
export interface ResultQuantization {
  readonly dtype: "int8" | "uint8";
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Refuses a vector that is neither one value nor one for each of `count` groups. */
export function checkBroadcast(operation: string, what: string, length: number, count: number): void {
  if (length !== 1 && length !== count) {
    throw new CoreError("length", `${operation}: ${what}: length: expected 1 or ${count}, got ${length}`, {
      expected: count,
      got: length,
    });
  }
}

/** Element `index` of a vector, or its only one. */
export function broadcast(vector: ArrayLike<number>, index: number): number {
  return vector[vector.length === 1 ? 0 : index] as number;
}
