const constructors = ["Float32Array", "Float64Array", "Int8Array", "Uint8Array", "Int32Array"] as const;

/**
 * Bytes of all typed arrays that are made while something is done, whether they are still there or not: what a process
 * holds would depend on when the collector comes by.
 */
export async function allocatedBytes(work: () => Promise<unknown> | unknown): Promise<number> {
  let bytes = 0;
  const count = <T extends ArrayBufferView>(made: T): T => {
    bytes += made.byteLength;
    return made;
  };
  const world = globalThis as unknown as Record<string, new (...given: unknown[]) => ArrayBufferView>;
  const originals = constructors.map((name) => [name, world[name]] as const);
  const shared = Object.getPrototypeOf(Float32Array.prototype) as Float32Array;
  const { slice } = shared;
  for (const [name, original] of originals) {
    world[name] = new Proxy(original as (typeof world)[string], {
      construct(target, given, newTarget) {
        const made = Reflect.construct(target, given, newTarget) as ArrayBufferView;
        return given[0] instanceof ArrayBuffer ? made : count(made);
      },
    });
  }
  shared.slice = function (this: Float32Array, ...range) {
    return count(slice.apply(this, range));
  };
  try {
    await work();
  } finally {
    for (const [name, original] of originals) world[name] = original as (typeof world)[string];
    shared.slice = slice;
  }
  return bytes;
}
