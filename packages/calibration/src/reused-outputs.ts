import type { Tensor } from "@nasty/core";
import { RuntimeError, type Session } from "@nasty/runtime";
import type { WatchedTensor } from "./observed-model.js";

type Feeds = Readonly<Record<string, Tensor>>;

/** What each symbol of the inputs' shapes stands for in these feeds. */
const sizesOf = (session: Session, feeds: Feeds): Map<string, number> => {
  const sizes = new Map<string, number>();
  for (const { name, shape } of session.inputs) {
    for (const [axis, symbol] of shape.entries()) {
      const size = feeds[name]?.shape[axis];
      if (typeof symbol === "string" && symbol !== "" && size !== undefined) sizes.set(symbol, size);
    }
  }
  return sizes;
};

const resolved = (
  { dtype, shape, isReused }: Pick<WatchedTensor, "dtype" | "shape" | "isReused">,
  sizes: ReadonlyMap<string, number>,
): number[] | undefined => {
  if (!isReused || dtype !== "float32" || shape === undefined) return undefined;
  const sized = shape.map((size) => (typeof size === "string" ? sizes.get(size) : size));
  return sized.every((size) => size !== undefined) ? sized : undefined;
};

/**
 * Runs a session over and over into the same memory: a result is valid until the next run.
 *
 * Buffers of megabytes are small objects to the garbage collector: fresh ones for each run pile up until it looks. A
 * tensor is written into memory that is kept where its shape follows from the feeds'; the others are allocated anew.
 */
export const reusedOutputs = (
  session: Session,
  tensors: readonly WatchedTensor[],
): ((feeds: Feeds) => Promise<Record<string, Tensor>>) => {
  const names = tensors.map(({ name }) => name);
  const pool = new Map<string, Float32Array>();
  let reuses = true;

  const outOf = (feeds: Feeds): Record<string, Tensor> => {
    const sizes = sizesOf(session, feeds);
    const out = Object.create(null) as Record<string, Tensor>;
    for (const watched of tensors) {
      const shape = resolved(watched, sizes);
      if (shape === undefined) continue;
      const length = shape.reduce((product, size) => product * size, 1);
      let data = pool.get(watched.name);
      if (data === undefined || data.length < length) {
        data = new Float32Array(length);
        pool.set(watched.name, data);
      }
      out[watched.name] = { dtype: "float32", shape, data: data.subarray(0, length) };
    }
    return out;
  };

  return async (feeds) => {
    if (!reuses) return session.run(feeds, names);
    try {
      return await session.run(feeds, names, { out: outOf(feeds) });
    } catch (error) {
      // A model may declare shapes that are not those of its values; without `out` the run shows whether that was all.
      if (!(error instanceof RuntimeError) || !["run-failed", "wrong-shape"].includes(error.code))
        throw error;
      reuses = false;
      return session.run(feeds, names);
    }
  };
};
