import type { DType, Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import type { GradientWriter } from "./gradient-writer.js";

/** Dimensions as far as they are known: a number, the name of a symbol, or nothing. */
export type Dimensions = readonly (number | string | undefined)[];

/** What a rule sees of the node it differentiates. */
export interface GradientContext {
  readonly node: NodeProto;
  /** Where the rule adds its nodes. */
  readonly writer: GradientWriter;
  /** Name of input i; "" where an optional input is left out. */
  input(index: number): string;
  /** Name of output i; an output that the node leaves out is added to it (forward kernels give it for nothing). */
  output(index: number): string;
  /** Gradient of output i, or undefined if the loss does not depend on it. */
  gradient(index: number): string | undefined;
  /** Gradient of output i, zeros if the loss does not depend on it. */
  gradientOrZeros(index: number): string;
  /** Whether a gradient for input i is wanted. */
  needs(index: number): boolean;
  /** Dimensions of a tensor of the forward graph, undefined if not even the rank is known. */
  dimensions(name: string): Dimensions | undefined;
  /** Element type of a tensor of the forward graph. */
  dtype(name: string): DType | undefined;
  /** Rank of a tensor of the forward graph; an unknown rank is refused. */
  rank(name: string): number;
  /** Value of a tensor of the forward graph that is a constant. */
  constant(name: string): Tensor | undefined;
  /** Refuses the node, naming it. */
  refuse(what: string, expected: string, got: string): never;
  /**
   * Takes the node out of the forward graph: its outputs are made by the given values from now on, which lose their
   * own names to them. For kernels that do not hand out what their gradient needs.
   */
  replaceForward(outputs: readonly (string | undefined)[]): void;
  /** Takes the gradient of rows of a table that is itself a weight; false if the table is not one. */
  acceptRows(table: string, indices: string, rows: string): boolean;
}

/**
 * The gradient of one operator: emits nodes that compute, for every input that needs it, the gradient of the
 * loss from the gradients of the outputs; returns their names by input.
 */
export type GradientRule = (context: GradientContext) => readonly (string | undefined)[];
