import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compressionOfName } from "@nasty/formats/archive";
import { type ModelProto, parseModel, tensorsOf } from "@nasty/formats/onnx";

/** Bytes of a model: its file, and the data files that its weights are in. */
export async function bytesOfModel(modelPath: string): Promise<number> {
  const { size } = await stat(modelPath);
  if (compressionOfName(modelPath) !== undefined || size > 2 ** 31 - 1) return size;
  let bytes = size;
  for (const location of dataFiles(parseModel(await readFile(modelPath)))) {
    bytes += (await stat(join(dirname(modelPath), location)).catch(() => undefined))?.size ?? 0;
  }
  return bytes;
}

/** Files beside the model that hold weights, each once. */
function dataFiles(model: ModelProto): ReadonlySet<string> {
  const files = new Set<string>();
  for (const { tensor } of tensorsOf(model)) {
    for (const { key, value } of tensor.externalData) {
      if (key === "location") files.add(value);
    }
  }
  return files;
}
