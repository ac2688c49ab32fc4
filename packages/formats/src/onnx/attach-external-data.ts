import { TensorProto_DataLocation as DataLocation } from "./gen/onnx_pb.js";
import { type ExternalReference, failExternal } from "./external-reference.js";
import { byLocation, checkRanges } from "./external-ranges.js";

/**
 * Gives external tensors their values out of files that are read whole: for models that were just read and that nobody
 * else holds.
 *
 * @param references what `externalReferences` found
 * @param read a file beside the model
 * @throws FormatError `external-data`, naming the tensor
 */
export async function attachExternalData(
  references: readonly ExternalReference[],
  read: ((location: string) => Promise<Uint8Array>) | undefined,
  operation: string,
): Promise<void> {
  for (const [location, group] of byLocation(references)) {
    const { where, tensor } = group[0] as ExternalReference;
    const missing = (got: string, cause?: unknown): never =>
      failExternal(
        operation,
        where,
        `location: expected the file ${JSON.stringify(location)} beside the model, got ${got}`,
        tensor.name,
        cause,
      );
    if (read === undefined) missing("the model alone");
    else {
      const bytes = await read(location).catch((cause: unknown) => missing((cause as Error).message, cause));
      checkRanges(group, bytes.length, operation);
      for (const { tensor: external, offset, length } of group) {
        external.rawData = bytes.slice(offset, offset + length);
        external.externalData = [];
        external.dataLocation = DataLocation.DEFAULT;
      }
    }
  }
}
