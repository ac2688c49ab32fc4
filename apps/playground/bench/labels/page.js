import { posInt8 } from "@nasty/model-en";
import { openTagger } from "@nasty/taggers/web";
import * as ort from "onnxruntime-web/wasm";

/** Labels of all sentences by the default tagger. */
globalThis.labelsOf = async (sentences) => {
  ort.env.wasm.numThreads = 1;
  const tagger = await openTagger(posInt8, { ort });
  const all = [];
  const begin = performance.now();
  for await (const labels of tagger.tag(sentences)) all.push(labels);
  const milliseconds = performance.now() - begin;
  await tagger.close();
  return { all, milliseconds };
};
