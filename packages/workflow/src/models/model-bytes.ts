import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compressionOfName } from "@nasty/formats/archive";
import { type ModelProto, parseModel, tensorsOf } from "@nasty/formats/onnx";

/**
 * Bytes of a model: its file, and the data files that its weights are in.
 *
 * @param model what `readModelFile` read from the path, where there is one: most models have no data files, and it
 *   shows that without reading hundreds of megabytes again.
 */
export async function bytesOfModel(modelPath: string, model?: ModelProto): Promise<number> {
  const { size } = await stat(modelPath);
  if (compressionOfName(modelPath) !== undefined || size > 2 ** 31 - 1) return size;
  if (model !== undefined && !hasDataFiles(model)) return size;
  let bytes = size;
  for (const location of dataFiles(parseModel(await readFile(modelPath)))) {
    bytes += (await stat(join(dirname(modelPath), location)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

/** External weights come in buffers of their own, all others are views of the file's. */
function hasDataFiles(model: ModelProto): boolean {
  for (const { tensor } of tensorsOf(model)) {
    const { buffer, byteLength } = tensor.rawData;
    if (byteLength > 0 && byteLength === buffer.byteLength) return true;
  }
  return false;
}

/** Files beside the model that hold weights, each once. */
export function dataFiles(model: ModelProto): ReadonlySet<string> {
  const files = new Set<string>();
  for (const { tensor } of tensorsOf(model)) {
    for (const { key, value } of tensor.externalData) {
      if (key === "location") files.add(value);
    }
  }
  return files;
}
