/** Megabytes that the user allows instead of the limits below, where the platform has an environment and it says so. */
const variable = "NASTY_MEMORY_LIMIT";

/** How a user who trusts a file gets past a limit: the end of the message of every error that one causes. */
export const raiseLimit = `if you trust the file, set ${variable} to the megabytes that it may take`;

/**
 * Memory that decoded structures (messages, strings, lists of numbers) may take beyond the bytes of their file. The
 * graph of a language model with ten thousand annotated nodes takes a third of it; what reads a graph takes as much
 * again.
 */
const structureBytes = 128e6;

/**
 * What a packed file may always unpack to, and how many times its size beyond: weights rarely pack better than 20:1.
 */
const unpackedBytes = 64e6;
/** A model's structure is checked while it unpacks, so a whole model of zeros may be larger. */
const unpackedModelBytes = 512e6;
const unpackedRatio = 200;

/** No protobuf message, and so no model file without external data, can be larger. */
export const mostUnpackedBytes = 2 ** 31;

/** Bytes of memory that what is decoded from a file of a size may take. */
export function structureLimit(fileBytes: number): number {
  return Math.max(structureBytes, allowed()) + fileBytes;
}

/** Bytes that a packed file of a size may unpack to. */
export function unpackedLimit(packedBytes: number): number {
  return atMost(unpackedBytes, packedBytes);
}

/** Bytes that a packed model file of a size may unpack to. */
export function unpackedModelLimit(packedBytes: number): number {
  return atMost(unpackedModelBytes, packedBytes);
}

function atMost(floor: number, packedBytes: number): number {
  return Math.min(Math.max(floor, unpackedRatio * packedBytes, allowed()), mostUnpackedBytes);
}

function allowed(): number {
  // A browser has no process; whoever embeds the library there gives limits as options.
  const text = (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[
    variable
  ];
  const megabytes = Number(text);
  return Number.isFinite(megabytes) && megabytes > 0 ? megabytes * 1e6 : 0;
}
