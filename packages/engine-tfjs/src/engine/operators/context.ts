import type { DType } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import type { BackendName } from "../backend/backend-name.js";
import type { TensorFlow, TfTensor } from "../tensorflow.js";

/** What the implementation of an operator sees of its node. */
export interface OperatorContext {
  readonly tf: TensorFlow;
  readonly backend: BackendName;
  readonly node: NodeProto;
  /** Operand i, which the operator cannot do without. */
  input(index: number): TfTensor;
  /** Operand i, or undefined where it is left out. */
  optional(index: number): TfTensor | undefined;
  /** All operands. */
  inputs(): readonly TfTensor[];
  /** Element type of operand i in the ONNX graph. */
  dtype(index: number): DType | undefined;
  /** Refuses the node, naming it. */
  refuse(what: string, expected: string, got: string): never;
}

/** One operator in TensorFlow.js: its first output or all of them. */
export type Operator = (context: OperatorContext) => TfTensor | readonly (TfTensor | undefined)[];

/** The elements of an integer operand, as numbers. */
export function integers(value: TfTensor): number[] {
  return Array.from(value.dataSync());
}

/** Operand i as integers, undefined where it is left out. */
export function optionalIntegers(c: OperatorContext, index: number): number[] | undefined {
  const value = c.optional(index);
  return value === undefined ? undefined : integers(value);
}

export function normalAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** 0, 1, …, count − 1. */
export function sequence(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** The value of f without a trace on the tape: no gradient goes through it. */
export function untaped(tf: TensorFlow, f: () => TfTensor): TfTensor {
  return tf.customGrad(() => ({ value: f(), gradFunc: () => [] }))();
}

/** How a custom gradient keeps what it needs: everything else made in the forward pass is gone when it runs. */
export type Save = (tensors: TfTensor[]) => void;

/** The parts of x along its first axis; the gradient of `tf.unstack` fails for a single one. */
export function unstacked(tf: TensorFlow, x: TfTensor): readonly TfTensor[] {
  return x.shape[0] === 1 ? [tf.reshape(x, x.shape.slice(1))] : tf.unstack(x, 0);
}
