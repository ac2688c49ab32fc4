// Turns a trained float32 tagger into the two files of a package of models: NAME.onnx.br, float32 with weights rounded
// to 7 significant bits (one less than bfloat16 has; the error is about -47 dB, below int8's -41 dB, and brotli shrinks
// the zeros away), and NAME-int8.onnx, made from it by dynamic quantization (NAME-int8.onnx.gz with --gzip).
//   node scripts/english-models/pack-models.mjs --input trained.onnx --name pos-en [--package model-en] [--data "UD_English-EWT 2.16 (15d613d), CC BY-SA 4.0"]… [--card cards/pos-en-int8.md] [--int8-only] [--gzip]
// --card: the model card, which goes into the metadata of the INT8 file as nasty.card.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { dynamic } from "../../packages/compression/dist/index.js";
import { compressed, writeFileAtomic } from "../../packages/formats/dist/archive/node.js";
import {
  copyMessage,
  modelChunks,
  tensorFromProto,
  tensorToProto,
  withMetadata,
} from "../../packages/formats/dist/onnx/index.js";
import { readModelFile, writeModelFile } from "../../packages/formats/dist/onnx/node.js";

const { values } = parseArgs({
  options: {
    input: { type: "string" },
    name: { type: "string" },
    data: { type: "string", multiple: true, default: [] },
    card: { type: "string" },
    "int8-only": { type: "boolean", default: false },
    gzip: { type: "boolean", default: false },
    /** Folder of packages whose models/ gets the INT8 file. */
    package: { type: "string", default: "model-en" },
  },
});
if (values.input === undefined || values.name === undefined) {
  console.error("--input or --name is missing; see the comment at the head of this script");
  process.exit(2);
}

const droppedBits = 17;

/** The tensor with each float32 value rounded, halves to even, to the leading 6 bits of its fraction. */
function rounded(proto) {
  const { dtype, shape, data } = tensorFromProto(proto);
  if (dtype !== "float32") return proto;
  const values = Float32Array.from(data);
  const bits = new Uint32Array(values.buffer);
  const half = 2 ** (droppedBits - 1) - 1;
  for (let i = 0; i < bits.length; i++) {
    const odd = (bits[i] >>> droppedBits) & 1;
    bits[i] = ((bits[i] + half + odd) >>> droppedBits) << droppedBits;
  }
  return tensorToProto({ dtype, shape, data: values }, proto.name);
}

const trained = await readModelFile(values.input);
const graph = copyMessage(trained.graph, { initializer: trained.graph.initializer.map(rounded) });
// A file that was packed before knows its data.
const data = values.data.length === 0 ? {} : { "nasty.data": JSON.stringify(values.data) };
const model = withMetadata(copyMessage(trained, { graph }), data);
const folderOf = (name) => fileURLToPath(new URL(`../../packages/${name}/models/`, import.meta.url));
if (!values["int8-only"]) {
  const smallest = compressed(modelChunks(model), "brotli", { level: 11 });
  console.log(
    values.name,
    await writeFileAtomic(`${folderOf("model-en-float32")}${values.name}.onnx.br`, smallest),
  );
}

const int8 = `${values.name}-int8.onnx${values.gzip ? ".gz" : ""}`;
const card = values.card === undefined ? {} : { "nasty.card": await readFile(values.card, "utf8") };
const quantized = withMetadata(await dynamic.quantize(model), card);
console.log(int8, await writeModelFile(folderOf(values.package) + int8, quantized));
