import type { DType, Tensor } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import type { Heap } from "../memory/heap.js";
import type { Planner } from "./planner.js";
import type { Value, ValueInfo } from "./value.js";

/** Why a node cannot be run, found before anything is. */
export class Refusal extends Error {
  readonly kind: "operator" | "type";

  constructor(reason: string, kind: "operator" | "type" = "operator") {
    super(reason);
    this.kind = kind;
  }
}

/** A node while the model is opened. */
export interface OpenNode {
  readonly node: NodeProto;
  /** Version of the node's operator set. */
  readonly version: number;
  readonly inputs: readonly (ValueInfo | undefined)[];
  /** Memory that stays, for packed weights. */
  readonly heap: Heap;
  /** The nodes that read an output, each as often as it does; empty for an output of the graph. */
  consumers(output: number): readonly { readonly node: NodeProto; readonly input: number }[];
  isGraphOutput(output: number): boolean;
  /** A weight by its name; also one that other nodes read. */
  readonly constantOf: (name: string) => Tensor | undefined;
}

/** What is computed at run time of tensors in the model's memory, or of known ones while a plan is made. */
export type HostFunction = (inputs: readonly (Tensor | undefined)[]) => readonly Tensor[];

/** A node that can be run. */
export interface BuiltNode {
  /** Element types of the outputs. */
  readonly outputs: readonly DType[];
  /** The results for known inputs, computed once a plan (or once for good). */
  readonly host?: HostFunction | undefined;
  /** Whether the results follow from the shapes of the inputs. */
  readonly isOfShapes?: boolean;
  /** Inputs whose weights were taken over in another form. */
  readonly packed?: readonly number[];
  /** Adds the steps that compute the outputs. */
  plan(planner: Planner, inputs: readonly (Value | undefined)[]): readonly Value[];
}

/** @throws Refusal for what the operator cannot do */
export type Operator = (node: OpenNode) => BuiltNode;
