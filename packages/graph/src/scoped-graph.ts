import type { NodeProto, TensorProto, ValueInfoProto } from "@nasty/formats/onnx";

/**
 * What pruning, sorting and the search for constants need of a `Graph`, whose methods they are; it says what each
 * means.
 */
export interface ScopedGraph {
  readonly path: string;
  readonly parentNode: NodeProto | undefined;
  readonly nodes: readonly NodeProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly initializers: ReadonlyMap<string, TensorProto>;
  defines(name: string): boolean;
  scopeOf(name: string): ScopedGraph | undefined;
  producer(name: string): NodeProto | undefined;
  isOverridable(name: string): boolean;
  subgraphs(node: NodeProto): readonly ScopedGraph[];
  allGraphs(): readonly ScopedGraph[];
  removeNode(node: NodeProto): void;
  removeInitializer(name: string): void;
}
