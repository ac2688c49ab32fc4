// An exported module in a worker that may not compile WebAssembly while it runs. Two requests at once, the first of
// which makes the tagger for both.
import kernels from "./tagger.wasm";
import { createTagger } from "./tagger.js";
import { digestOfModule } from "./digest.mjs";

let tagger;

async function answer() {
  tagger ??= createTagger({ kernels });
  return digestOfModule(await tagger);
}

export default {
  fetch: async () => new Response(await answer()),
  async test(_controller, { self }) {
    const [first, second] = await Promise.all([self.fetch("http://one/"), self.fetch("http://two/")]);
    const digests = [await first.text(), await second.text()];
    if (digests[0] !== digests[1])
      throw new Error(`two requests: expected one digest, got ${digests.join(" and ")}`);
    console.log(digests[0]);
  },
};
