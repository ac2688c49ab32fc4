import type { HistoryStep } from "@nasty/compression";
import type { ModelVariant } from "@nasty/formats/hf";
import { isHfDirectory, openModelFolder } from "@nasty/formats/hf/node";
import { readModelFile } from "@nasty/formats/onnx/node";
import { describeGraph, ModelGraph, unsafePairs, type WeightPairs } from "@nasty/graph";
import { availableDevices, chooseModel, type Device } from "@nasty/runtime";
import { labellingOfSettings } from "@nasty/taggers";
import { sha256OfFile } from "../files/file-hash.js";
import { loadModel } from "../models/load-model.js";
import { bytesOfModel } from "../models/model-bytes.js";
import { compressedModel, historyOfFile } from "../models/model-history.js";
import type { ModelLike } from "../models/model-like.js";
import { inspectOperation } from "../operations/files.js";
import { type GivenBeside, perform } from "../perform.js";
import { labellingDocument } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";

/** What a model file holds. */
export type InspectionResult = Awaited<ReturnType<typeof runInspection>>;

/** Says what a model file holds: operators, weights by type, tagger, how it was made. */
export function inspect(
  model: ModelLike,
  options: GivenBeside<typeof inspectOperation.options, "model"> = {},
): Promise<InspectionResult> {
  return perform(inspectOperation, { model, ...options }, runInspection);
}

/** {@link inspect} from checked settings. */
export async function runInspection(
  { model: path, devices }: SettingsOf<typeof inspectOperation.options>,
  { note }: Reporter,
) {
  const { model, modelPath, tagger, modelBytes, notes, sha256 } = await loadModel(path);
  for (const one of notes) note(one);
  const labelling = tagger && labellingDocument(labellingOfSettings(tagger));
  const compressed = await compressedModel(modelPath);
  const description = describeGraph(model);
  const products = unsafePairs(ModelGraph.from(model));
  const history = historyOfFile(model, compressed);
  const files = (await isHfDirectory(path)) ? await variantsIn(path, modelPath) : [];
  const deployment = devices === true ? await deploymentHere() : null;
  return {
    path,
    modelPath,
    modelBytes,
    sha256: await sha256(),
    compressed: compressed ?? null,
    ...description,
    tagger:
      tagger === undefined || labelling === undefined
        ? null
        : { kind: tagger.kind, task: tagger.task, labels: tagger.labels, labelling },
    integerProducts: { products: products.length, unsafePairs: sumOf(products) },
    /** Each int8 weight of a product with the pairs in it that can overflow. */
    products,
    history,
    files,
    deployment,
    notes,
    metadata: model.metadataProps.map(({ key }) => key),
  };
}

const sumOf = (products: readonly WeightPairs[]): number =>
  products.reduce((sum, { unsafe }) => sum + unsafe, 0);

interface VariantFile {
  readonly variant: ModelVariant;
  readonly modelPath: string;
  readonly modelBytes: number;
  readonly sha256: string;
  readonly history: readonly HistoryStep[];
}

/** Every model file of a Hugging Face directory with its own history. */
async function variantsIn(path: string, described: string): Promise<VariantFile[]> {
  const files: VariantFile[] = [];
  for (const [variant, modelPath] of (await openModelFolder(path)).models) {
    const model = await readModelFile(modelPath);
    files.push({
      variant,
      modelPath,
      modelBytes: await bytesOfModel(modelPath, model),
      sha256: await sha256OfFile(modelPath),
      history: historyOfFile(model, await compressedModel(modelPath)),
    });
  }
  return files.sort((a, b) => Number(b.modelPath === described) - Number(a.modelPath === described));
}

interface Deployment {
  readonly devices: readonly Device[];
  readonly device: Device;
  readonly precision: "float" | "int8";
}

/** The devices of this machine, and which of a model's two forms suits it. */
async function deploymentHere(): Promise<Deployment> {
  const devices = await availableDevices();
  const { device, precision } = await chooseModel({ float32: "", int8: "" }, devices);
  return { devices, device, precision };
}
