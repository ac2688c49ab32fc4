import type { AttributeValue, NodeProto } from "@nasty/formats/onnx";

/** A node to be added. */
export interface NodeFields {
  readonly opType: string;
  readonly domain?: string;
  /** Taken as it is; left out, a free name made of the operator's. */
  readonly name?: string;
  /** Names of the values read; `""` leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Values as `makeAttribute` of `@nasty/formats/onnx` takes them; undefined ones are left out. */
  readonly attributes?: Readonly<Record<string, AttributeValue | undefined>>;
}

/** Where a node goes among the nodes of its graph: at the end if neither neighbour is given. */
export interface NodePosition {
  readonly before?: NodeProto;
  readonly after?: NodeProto;
}
