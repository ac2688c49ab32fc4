// The same in a worker that has no files, and may not compile WebAssembly while it runs: models are its own modules.
import kernels from "@nasty/portable/kernels.wasm";
import { openTagger } from "@nasty/taggers/web";
import models from "models";
import { digestOfTaggers } from "./digest.mjs";

export default {
  async test() {
    const open = (name) => openTagger(new Uint8Array(models[name]), { kernels });
    console.log(await digestOfTaggers(open, Object.keys(models)));
  },
};
