import { relative } from "node:path";
import type { HistoryStep } from "@nasty/compression";
import type { ModelVariant } from "@nasty/formats/hf";
import { isHfDirectory, openModelFolder } from "@nasty/formats/hf/node";
import { readModelFile } from "@nasty/formats/onnx/node";
import { describeGraph, ModelGraph, unsafePairs, type WeightPairs } from "@nasty/graph";
import { labellingOfSettings } from "@nasty/taggers";
import { availableDevices, chooseModel, type Device } from "@nasty/runtime";
import { sha256OfFile } from "@nasty/workflow/files/file-hash";
import { loadModel } from "@nasty/workflow/models/load-model";
import { bytesOfModel } from "@nasty/workflow/models/model-bytes";
import { compressedModel, historyOfFile } from "@nasty/workflow/models/model-history";
import { labellingDocument, labellingLines } from "@nasty/workflow/report/labelling-text";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { formatBytes, formatCount, table } from "@nasty/workflow/report/format";
import { historyText } from "../terminal/history-text.js";

interface InspectOptions extends CommonOptions {
  readonly model: string;
  readonly devices?: boolean;
}

/** `nasty inspect`: what a model holds: operators, weights by type, tagger, how it was made. */
export async function inspect(options: InspectOptions, terminal: Terminal): Promise<void> {
  const { model: path } = options;
  const { model, modelPath, tagger, modelBytes, notes, sha256 } = await loadModel(path);
  for (const note of notes) terminal.note(note);
  const labelling = tagger && labellingDocument(labellingOfSettings(tagger));
  const compressed = await compressedModel(modelPath);
  const description = describeGraph(model);
  const products = unsafePairs(ModelGraph.from(model));
  const history = historyOfFile(model, compressed);
  const files = (await isHfDirectory(path)) ? await variantsIn(path, modelPath) : [];
  const deployment = options.devices === true ? await deploymentHere() : null;
  const result = {
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
    history,
    files,
    deployment,
    notes,
    metadata: model.metadataProps.map(({ key }) => key),
  };
  terminal.result(result, () =>
    [
      `${modelPath}: ${formatBytes(modelBytes)}${compressed === undefined ? "" : ` (${compressed.method} of ${formatBytes(compressed.modelBytes)})`}`,
      `  opset ${Object.entries(result.opsets)
        .map(([domain, version]) => `${domain} ${version}`)
        .join(", ")}; IR ${result.irVersion}${result.producer === "" ? "" : `; made by ${result.producer}`}`,
      `  ${formatCount(description.parameters)} parameters, ${formatCount(description.nodes)} nodes`,
      ...(tagger === undefined || labelling === undefined
        ? ["  no tagger inside or beside it"]
        : [
            `  ${tagger.task} tagger (${tagger.kind}): ${tagger.labels.join(" ")}`,
            ...labellingLines(labelling).map((line) => `  ${line}`),
          ]),
      ...(deployment === null
        ? []
        : [
            `  devices here: ${deployment.devices.join(", ")}; ship ${deployment.precision === "float" ? "the float32 model" : "the INT8 model"} to ${deployment.device}`,
          ]),
      "",
      table(
        ["weights", "tensors", "size"],
        description.precisions.map(({ dtype, tensors, bytes }) => [
          dtype,
          formatCount(tensors),
          formatBytes(bytes),
        ]),
      ),
      "",
      table(
        ["operator", "nodes"],
        description.ops.map(({ domain, op, count }) => [
          domain === "" ? op : `${domain}.${op}`,
          formatCount(count),
        ]),
      ),
      "",
      ...productLines(products),
      ...historyText(history),
      ...files
        .filter((file) => file.modelPath !== modelPath)
        .flatMap((file) => [
          "",
          `${relative(path, file.modelPath)} (${file.variant}): ${formatBytes(file.modelBytes)}`,
          ...historyText(file.history),
        ]),
    ].join("\n"),
  );
}

const sumOf = (products: readonly WeightPairs[]): number =>
  products.reduce((sum, { unsafe }) => sum + unsafe, 0);

/** Whether the file's int8 products are the same on every processor. */
function productLines(products: readonly WeightPairs[]): string[] {
  const unsafe = products.filter((product) => product.unsafe > 0);
  const [worst] = [...unsafe].sort((a, b) => b.unsafe / b.pairs - a.unsafe / a.pairs);
  if (products.length === 0) return [];
  if (worst === undefined)
    return [
      `${formatCount(products.length)} int8 weights of products: the same integers on every processor`,
      "",
    ];
  return [
    `${formatCount(unsafe.length)} of ${formatCount(products.length)} int8 weights of products hold ${formatCount(sumOf(products))} pairs that can overflow 16-bit sums:`,
    `  on processors without int8 dot products (x86 without VNNI) the file computes other numbers; most in ${worst.node} (${((100 * worst.unsafe) / worst.pairs).toFixed(1)}% of the pairs).`,
    "  Quantize the float model again: safe pairs are the default.",
    "",
  ];
}

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
