import { type ErrorFields, NastyError } from "@nasty/core";

/** What is wrong with a graph, for programs; the message says it for people. */
export type GraphErrorCode =
  | "cycle"
  | "duplicate-node"
  | "duplicate-value"
  | "empty-graph"
  | "expansion-limit"
  | "foreign-node"
  | "input-count"
  | "invalid-pattern"
  | "missing-graph"
  | "missing-input"
  | "missing-operator"
  | "missing-output"
  | "missing-subgraph"
  | "not-finite"
  | "output-count"
  | "recursive-function"
  | "shadowed-value"
  | "subgraph-outputs"
  | "unknown-opset"
  | "unsupported-opset"
  | "unsupported-type";

/** Where the fault lies; every field that is known is set. */
export interface GraphErrorFields extends ErrorFields {
  /** Path of the graph: `main`, `main/If_3.then_branch`. */
  readonly graph?: string;
  /** Name of the node, or empty where it has none. */
  readonly node?: string;
  readonly operator?: string;
  /** Position of the node in its graph, from 0. */
  readonly position?: number;
  /** The value in question. */
  readonly value?: string;
}

/**
 * A model that is not a well-formed graph, or an edit that would make it so: never a bug of this package.
 *
 * Messages read `<operation>: <where>: <what>: expected <x>, got <y>`.
 */
export class GraphError extends NastyError<GraphErrorCode, GraphErrorFields> {
  override readonly name = "GraphError";
}
