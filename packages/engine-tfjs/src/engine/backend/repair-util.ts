/**
 * Puts back what `@tensorflow/tfjs-node` 4.22 calls of Node's `util` and Node 23 and later no longer have:
 * `isNullOrUndefined` and `isArray`. Functions that are there stay as they are.
 *
 * @param util the module to repair; Node's own unless given
 */
export async function repairUtil(util?: Record<string, unknown>): Promise<void> {
  // Node's own types do not know the functions, and a browser has no such module: it has no native library either.
  const target = util ?? ((await import("node:util")).default as unknown as Record<string, unknown>);
  target["isNullOrUndefined"] ??= (value: unknown): boolean => value === null || value === undefined;
  target["isArray"] ??= Array.isArray;
}
