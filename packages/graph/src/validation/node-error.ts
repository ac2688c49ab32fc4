import type { NodeProto } from "@nasty/formats/onnx";
import { GraphError, type GraphErrorCode } from "../graph-error.js";

export interface NodePlace {
  readonly node: NodeProto;
  readonly path: string;
  readonly position: number;
  readonly value?: string;
}

/** A node as messages name it: name, operator, graph, position. */
export const placeOf = (node: NodeProto, path: string, position: number): string =>
  `node ${JSON.stringify(node.name || (node.output[0] ?? ""))} (${node.opType}, graph ${path}, position ${position})`;

export const nodeError = (
  code: GraphErrorCode,
  { node, path, position, value }: NodePlace,
  what: string,
): GraphError =>
  new GraphError(code, `validateModel: ${placeOf(node, path, position)}: ${what}`, {
    graph: path,
    node: node.name,
    operator: node.opType,
    position,
    ...(value === undefined ? {} : { value }),
  });
