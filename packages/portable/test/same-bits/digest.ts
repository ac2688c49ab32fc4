import { openModel } from "../../src/index.js";
import { samples } from "./sample-models.js";

/** FNV-1a over 64 bits of bytes: what any engine has the means for. */
const hashed = (bytes: Uint8Array, before: bigint): bigint => {
  let hash = before;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
};

/** One number for all bits of all outputs of the sample models. */
export const digestOfSamples = async (): Promise<string> => {
  let hash = 0xcbf29ce484222325n;
  for (const { model, feeds } of samples()) {
    const opened = await openModel(model);
    // Twice: what an engine compiles anew after a while computes the same.
    for (let run = 0; run < 2; run++)
      for (const { data } of Object.values(opened.run(feeds)))
        hash = hashed(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength), hash);
    opened.close();
  }
  return hash.toString(16).padStart(16, "0");
};
