import { type ExternalReference, failExternal } from "./external-reference.js";

/** External tensors by the file that they are in. */
export function byLocation(references: readonly ExternalReference[]): Map<string, ExternalReference[]> {
  const groups = new Map<string, ExternalReference[]>();
  for (const reference of references) {
    const group = groups.get(reference.location);
    if (group === undefined) groups.set(reference.location, [reference]);
    else group.push(reference);
  }
  return groups;
}

/**
 * Checks the ranges of a file against its size, before any is read.
 *
 * @throws FormatError `external-data` for a range beyond the end, or ranges that overlap without being the same
 */
export function checkRanges(group: readonly ExternalReference[], size: number, operation: string): void {
  const sorted = [...group].sort((a, b) => a.offset - b.offset || a.length - b.length);
  let previous: ExternalReference | undefined;
  for (const reference of sorted) {
    const { tensor, where, location, offset, length } = reference;
    if (offset + length > size) {
      const range = `bytes ${offset} to ${offset + length}`;
      failExternal(
        operation,
        where,
        `${range}: expected at most ${size} in ${JSON.stringify(location)}`,
        tensor.name,
      );
    }
    if (length === 0) continue;
    const same = previous?.offset === offset && previous.length === length;
    if (previous !== undefined && !same && offset < previous.offset + previous.length) {
      const end = previous.offset + previous.length;
      failExternal(
        operation,
        where,
        `offset: expected ${end} or more, after ${previous.where}, got ${offset}`,
        tensor.name,
      );
    }
    previous = reference;
  }
}
