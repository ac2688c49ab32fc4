import type { DType, Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import type { Dim } from "./dims.js";

/**
 * What is known about a value: the element type, the shape, both or neither; a shape is undefined if not even its rank
 * is known.
 */
export interface PartialType {
  readonly dtype?: DType | undefined;
  readonly shape?: readonly Dim[] | undefined;
}

/** Integers that stand for sizes, as Shape, Gather and Concat hand them on to Reshape: a scalar or a vector. */
export interface SizeValue {
  /** True for a scalar, which has one element. */
  readonly scalar: boolean;
  readonly elements: readonly Dim[];
}

/** A list that an operator takes from an attribute or, in later operator sets, from an input. */
export type ListArgument = readonly number[] | "absent" | "unknown";

/** What a rule may ask about the node it is for. */
export interface RuleContext {
  readonly node: NodeProto;
  /** Operator set of the node's domain. */
  readonly opset: number;
  readonly inputCount: number;
  readonly outputCount: number;
  /** True if input `index` is given. */
  has(index: number): boolean;
  dtype(index: number): DType | undefined;
  shape(index: number): readonly Dim[] | undefined;
  /** Sizes that input `index` carries, if they are known in part at least. */
  sizes(index: number): SizeValue | undefined;
  /** The constant at input `index`. */
  constant(index: number): Tensor | undefined;
  int(name: string): number | undefined;
  int(name: string, fallback: number): number;
  ints(name: string): readonly number[] | undefined;
  string(name: string, fallback: string): string;
  /** An attribute's list of integers, else the constant integers of an input. */
  list(name: string, index: number): ListArgument;
  /** The tensor that a Constant-like attribute holds. */
  tensor(name: string): Tensor | undefined;
  /** Types of the outputs of a nested graph whose inputs have the types given. */
  body(attribute: string, inputs: readonly (PartialType | undefined)[]): readonly PartialType[] | undefined;
}

/** Types of the outputs of a node, in order; undefined where nothing is known. */
export type InferRule = (context: RuleContext) => readonly (PartialType | undefined)[];

/** The sizes that the first output carries, if the operator hands sizes on. */
export type SizeRule = (context: RuleContext) => SizeValue | undefined;
