import { type Tensor, tensor } from "@nasty/core";
import { intAttribute, type ModelProto, type NodeProto } from "@nasty/formats/onnx";
import { type Graph, ModelGraph } from "@nasty/graph";

/** What packed bytes are read as where a node says nothing of zero points. */
const middle = 8;

/**
 * The model with its 4-bit tables as tensors of uint4 in place of packed bytes: the first versions of
 * GatherBlockQuantized read nothing else. The integers, and so the rows, are the same.
 *
 * Nodes with 8 bits, and tables that are no constants, stay as they are.
 *
 * @returns the model itself where no node is such
 */
export function withTablesOfInt4(model: ModelProto): ModelProto {
  const opened = ModelGraph.from(model);
  let changed = 0;
  for (const graph of opened.allGraphs()) {
    for (const node of graph.nodes) if (rewrite(graph, node)) changed += 1;
  }
  if (changed === 0) return model;
  opened.main.pruneUnused();
  opened.setIrVersion(Math.max(opened.irVersion, irVersionOfInt4));
  return opened.toModel();
}

/** The first IR version with element types of 4 bits. */
const irVersionOfInt4 = 10;

function rewrite(graph: Graph, node: NodeProto): boolean {
  const isOurs = node.opType === "GatherBlockQuantized" && node.domain === "com.microsoft";
  if (!isOurs || intAttribute(node, "bits", 0) !== 4) return false;
  const [data = "", indices = "", scale = "", zeroPoint = ""] = node.input;
  const table = bytesOf(graph, data);
  const scales = shapeOfScales(graph, scale);
  const [rows = 0, bytes = 0] = table?.shape ?? [];
  const blocks = scales?.[1] ?? 0;
  if (table === undefined || table.shape.length !== 2 || blocks === 0) return false;
  const points = zeroPoint === "" ? undefined : bytesOf(graph, zeroPoint);
  if (zeroPoint !== "" && points === undefined) return false;
  const integers = graph.addInitializer(
    `${data}_4`,
    tensor("uint4", [rows, bytes * 2], table.data as Uint8Array),
  );
  const packed = packedRows(points, rows, blocks);
  const zeroPoints = graph.addInitializer(`${data}_4_zp`, tensor("uint4", [rows, blocks], packed));
  const output = node.output[0] ?? "";
  graph.setOutput(node, 0, "");
  const made = graph.addNode(
    {
      opType: node.opType,
      domain: node.domain,
      name: node.name,
      inputs: [integers, indices, scale, zeroPoints],
      outputs: [output],
    },
    { before: node },
  );
  made.attribute = node.attribute.filter(({ name }) => name !== "bits");
  graph.removeNode(node);
  return true;
}

/** Zero points one behind the other; in bytes each row begins with a byte of its own. */
function packedRows(points: Tensor | undefined, rows: number, blocks: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil((rows * blocks) / 2));
  const rowBytes = Math.ceil(blocks / 2);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const byte = points === undefined ? 0 : (points.data[row * rowBytes + (block >> 1)] as number);
      const value = points === undefined ? middle : (byte >> (4 * (block & 1))) & 15;
      const at = row * blocks + block;
      packed[at >> 1] = (packed[at >> 1] as number) | (value << (4 * (at & 1)));
    }
  }
  return packed;
}

/** A constant table of bytes, through the Reshape of one that a product reads too. */
function bytesOf(graph: Graph, name: string): Tensor | undefined {
  const found = graph.constant(name);
  if (found !== undefined) return found.dtype === "uint8" ? found : undefined;
  const node = graph.producer(name);
  if (node?.opType !== "Reshape") return undefined;
  const [table, shape] = [graph.constant(node.input[0] ?? ""), graph.constant(node.input[1] ?? "")];
  if (table?.dtype !== "uint8" || shape === undefined) return undefined;
  return tensor("uint8", Array.from(shape.data as BigInt64Array, Number), table.data as Uint8Array);
}

/** Of scales that are constants, or constants of 16 bits behind a Cast. */
function shapeOfScales(graph: Graph, name: string): readonly number[] | undefined {
  const cast = graph.producer(name);
  return graph.constant(cast?.opType === "Cast" ? (cast.input[0] ?? "") : name)?.shape;
}
