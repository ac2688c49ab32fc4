import {
  copyMessage,
  type ModelProto,
  type TensorProto,
  TensorProto_DataLocation,
  serializeModel,
  type StringStringEntryProto,
} from "@nasty/formats/onnx";

/** Smaller tensors are as soon copied as found; shapes must stand in the graph itself. */
const leastBytes = 2 ** 14;

/**
 * A model whose large weights are said to lie in the very file that it was read from, for a runtime to map instead of
 * copying them twice.
 *
 * @param model as it was read: its large weights are views of the file's bytes, the small ones are copied
 * @param file name of the file without its folder, and its size
 * @returns bytes of the small graph; undefined for a file whose bytes are not those that were read (compressed, in
 *   parts, external data)
 */
export function weightsInFile(
  model: ModelProto,
  file: { readonly name: string; readonly bytes: number },
): Uint8Array | undefined {
  const { graph } = model;
  const large = graph?.initializer.filter(({ rawData }) => rawData.byteLength >= leastBytes) ?? [];
  const isRead = large.every(({ rawData }) => rawData.buffer.byteLength === file.bytes);
  const isWhole = graph?.initializer.every(({ externalData }) => externalData.length === 0) === true;
  if (graph === undefined || large.length === 0 || !isRead || !isWhole) return undefined;
  const initializer = graph.initializer.map((tensor) =>
    tensor.rawData.byteLength >= leastBytes ? inFile(tensor, file.name) : tensor,
  );
  return serializeModel(copyMessage(model, { graph: copyMessage(graph, { initializer }) }));
}

function inFile(tensor: TensorProto, location: string): TensorProto {
  const { byteOffset: offset, byteLength: length } = tensor.rawData;
  return copyMessage(tensor, {
    rawData: new Uint8Array(0),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries({ location, offset, length }).map(
      ([key, value]): StringStringEntryProto => ({
        $typeName: "onnx.StringStringEntryProto",
        key,
        value: String(value),
      }),
    ),
  });
}
