import type { ModelProto } from "@nasty/formats/onnx";
import { type DriftJob, leastCosine } from "../drift/drift-check.js";
import { driftSample, firstSentences } from "../drift/drift-sample.js";
import type { LoadedModel } from "../models/load-model.js";
import { pathsOf, type PruneSettings } from "./settings.js";

/** How a pruned model is compared with a model of the original's shapes that computes the same. */
export async function pruningDrift(
  loaded: LoadedModel,
  { data, validation, train, threads, minCosine = leastCosine.exact }: PruneSettings,
): Promise<(reference: ModelProto) => DriftJob> {
  const texts = [validation, ...pathsOf(data), train];
  const words = loaded.tagger === undefined ? [] : await firstSentences(texts, loaded.tagger.task);
  const sample = await driftSample(loaded, words);
  return (original) => ({
    operation: "prune",
    path: loaded.path,
    original,
    likeness: "the original without what was pruned",
    sample,
    minCosine,
    threads,
    advice: (departure) =>
      `${departure === undefined ? "prune in another way" : `exclude it with --skip-layers '${departure.node}'`}, or lower --min-cosine if the difference is acceptable`,
  });
}
