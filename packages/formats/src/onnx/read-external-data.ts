import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { TensorProto_DataLocation as DataLocation } from "./gen/onnx_pb.js";
import { byLocation, checkRanges } from "./external-ranges.js";
import { type ExternalReference, failExternal } from "./external-reference.js";

/** One read call takes less than 2^31 bytes. */
const maxReadBytes = 1 << 28;

/**
 * Loads the values of external tensors into their messages, which become ordinary ones: for models that were just
 * read and that nobody else holds.
 *
 * Every range is checked against its file before any is read. Tensors that name the same range share its bytes; ranges
 * that overlap otherwise are refused, or a small file could fill the memory.
 *
 * @param references what `externalReferences` found
 * @param folder the model's folder, which no location may leave, not by symbolic links either
 * @throws FormatError `external-data`, naming the tensor
 */
export async function loadExternalData(
  references: readonly ExternalReference[],
  folder: string,
  operation: string,
): Promise<void> {
  for (const [location, group] of byLocation(references)) {
    const handle = await openBeside(folder, location, group[0] as ExternalReference, operation);
    try {
      const { size } = await handle.stat();
      checkRanges(group, size, operation);
      await loadRanges(handle, group, operation);
    } finally {
      await handle.close();
    }
  }
}

/** Checks that external tensors can be read, without reading them. */
export async function checkExternalData(
  references: readonly ExternalReference[],
  folder: string,
  operation: string,
): Promise<void> {
  for (const [location, group] of byLocation(references)) {
    const handle = await openBeside(folder, location, group[0] as ExternalReference, operation);
    try {
      checkRanges(group, (await handle.stat()).size, operation);
    } finally {
      await handle.close();
    }
  }
}

async function openBeside(
  folder: string,
  location: string,
  { where, tensor }: ExternalReference,
  operation: string,
): Promise<FileHandle> {
  const unreadable = (cause: unknown): never =>
    failExternal(
      operation,
      where,
      `location: expected the file ${JSON.stringify(location)} beside the model, got ${(cause as Error).message}`,
      tensor.name,
      cause,
    );
  const root = await realpath(folder).catch(unreadable);
  const target = await realpath(join(root, ...location.split(/[/\\]/))).catch(unreadable);
  if (!target.startsWith(root.endsWith(sep) ? root : root + sep)) {
    const advice = "a symbolic link out of it; copy the file itself beside the model";
    failExternal(
      operation,
      where,
      `location: expected ${JSON.stringify(location)} in the folder of the model, got ${advice}`,
      tensor.name,
    );
  }
  // Asked before opening: opening a named pipe would wait for its other end.
  if (!(await stat(target).catch(unreadable)).isFile()) {
    failExternal(
      operation,
      where,
      `location: expected ${JSON.stringify(location)} to be a regular file, got a folder or a device`,
      tensor.name,
    );
  }
  return open(target, "r").catch(unreadable);
}

async function loadRanges(
  handle: FileHandle,
  group: readonly ExternalReference[],
  operation: string,
): Promise<void> {
  const loaded = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const reference of group) {
    const { tensor, offset, length } = reference;
    const key = `${offset}+${length}`;
    const bytes = loaded.get(key) ?? (await readRange(handle, reference, operation));
    loaded.set(key, bytes);
    tensor.rawData = bytes;
    tensor.externalData = [];
    tensor.dataLocation = DataLocation.DEFAULT;
  }
}

async function readRange(
  handle: FileHandle,
  { tensor, where, location, offset, length }: ExternalReference,
  operation: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(length - at, maxReadBytes), offset + at);
    // The file shrank after its size was checked.
    if (bytesRead === 0) {
      const got = `expected ${length} bytes of ${JSON.stringify(location)}, got ${at}`;
      return failExternal(operation, where, got, tensor.name);
    }
    at += bytesRead;
  }
  return bytes;
}
