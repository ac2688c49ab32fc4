import { basename, dirname, join, resolve } from "node:path";
import { uncompressedName } from "@nasty/formats/archive";
import { pruner, type PruneOptions as Pruning } from "@nasty/compression";
import { openSession } from "@nasty/runtime";
import { withTagger } from "@nasty/taggers";
import { UsageError } from "../exit-codes.js";
import { parseSource } from "../inputs/calibration-sources.js";
import { type LoadedModel, loadModel } from "../inputs/load-model.js";
import { checkWritable, isSameFile } from "../inputs/output-path.js";
import { importanceData } from "../pruning/importance-data.js";
import { pruningPlanText, pruningText, type PruningResultDocument } from "../pruning/pruning-text.js";
import { neededVocabulary } from "../pruning/vocabulary.js";
import { writeCandidate } from "../quantization/written-model.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { versions } from "../versions.js";

export interface PruneCommandOptions extends CommonOptions {
  readonly model: string;
  readonly sparsity?: number;
  readonly structured?: boolean;
  readonly scope: "global" | "layer";
  readonly heads?: number;
  readonly neurons?: number;
  readonly layers?: number | readonly number[];
  readonly data: readonly string[];
  readonly vocabulary?: string;
  readonly skipLayers: readonly string[];
  readonly dryRun?: boolean;
  readonly output?: string;
}

/** `nasty prune`: plan, apply, write beside the output, load what was written, then give it its name. */
export async function prune(options: PruneCommandOptions, terminal: Terminal): Promise<void> {
  const isStructured =
    options.structured === true || options.heads !== undefined || options.neurons !== undefined;
  if (options.data.length > 0 && !isStructured) {
    throw new UsageError("prune: --data: expected --structured with it (magnitudes need no data), got none");
  }
  const loaded = await loadModel(options.model);
  const output = options.output ?? defaultOutput(loaded.modelPath, options, isStructured);
  if (!options.dryRun) {
    await checkWritable("--output", output);
    if (await isSameFile(output, loaded.modelPath)) {
      throw new UsageError(
        `prune: --output ${output}: expected another file than the model, got the model itself`,
      );
    }
  }
  terminal.progress.start("planning what to prune");
  const plan = await pruner.plan(loaded.model, await pruningOf(loaded, options, isStructured));
  if (options.dryRun) {
    terminal.progress.stop();
    terminal.result({ model: options.model, output: null, plan }, () => pruningPlanText(plan));
    return;
  }
  const { model, report } = pruner.apply(loaded.model, plan, {
    provenance: { inputSha256: await loaded.sha256(), versions: versions() },
  });
  const candidate = await writeCandidate(
    output,
    loaded.tagger === undefined ? model : await withTagger(model, loaded.tagger),
  );
  try {
    await (await openSession(candidate.path, { threads: options.threads })).close();
    const written = await candidate.commit();
    terminal.progress.stop();
    const { vocabulary, tensors } = report;
    const [zeros, elements] = tensors.reduce(([z, e], one) => [z + one.zeros, e + one.elements], [0, 0]);
    const result: PruningResultDocument = {
      model: options.model,
      modelBytes: loaded.modelBytes,
      output: written,
      ...report,
      sparsity: tensors.length === 0 ? null : zeros / elements,
      vocabulary:
        vocabulary === undefined
          ? null
          : { table: vocabulary.table, before: vocabulary.before, after: vocabulary.after },
    };
    terminal.result(result, () => pruningText(result));
  } catch (error) {
    await candidate.discard();
    throw error;
  }
}

async function pruningOf(
  loaded: LoadedModel,
  options: PruneCommandOptions,
  isStructured: boolean,
): Promise<Pruning> {
  const { sparsity, scope, heads, neurons, layers, skipLayers, threads } = options;
  return {
    scope,
    skipLayers,
    ...(sparsity !== undefined && { sparsity }),
    ...(isStructured && {
      structured: { ...(heads !== undefined && { heads }), ...(neurons !== undefined && { neurons }) },
    }),
    ...(options.data.length > 0 && {
      data: importanceData(
        loaded,
        options.data.map((text) => parseSource(text)),
        threads,
      ),
    }),
    ...(layers !== undefined && { layers }),
    ...(options.vocabulary !== undefined && {
      vocabulary: await neededVocabulary(loaded, options.vocabulary, threads),
    }),
  };
}

/** `pos.onnx` → `pos_pruned30.onnx`, `pos_pruned30_structured.onnx`. */
function defaultOutput(modelPath: string, { sparsity }: PruneCommandOptions, isStructured: boolean): string {
  const absolute = resolve(modelPath);
  const stem = uncompressedName(basename(absolute)).replace(/\.onnx$/i, "");
  const share = sparsity === undefined ? "" : String(Number((sparsity * 100).toFixed(2)));
  return join(dirname(absolute), `${stem}_pruned${share}${isStructured ? "_structured" : ""}.onnx`);
}
