// Turns a trained float32 tagger into the two files of this package: NAME.onnx.gz, float32 with weights rounded to bfloat16's precision
// (half of their bits are then 0, so gzip halves the file), and NAME-int8.onnx, made from it by dynamic quantization.
//   node scripts/english-models/pack-models.mjs --input trained.onnx --name pos-en [--data "UD_English-EWT 2.16 (15d613d), CC BY-SA 4.0"]… [--int8-only]
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { dynamic } from "../../packages/compression/dist/index.js";
import { bfloat16ToFloat32, float32ToBfloat16 } from "../../packages/core/dist/index.js";
import {
  copyMessage,
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
    "int8-only": { type: "boolean", default: false },
  },
});
if (values.input === undefined || values.name === undefined) {
  console.error("--input or --name is missing; see the comment at the head of this script");
  process.exit(2);
}

/** The tensor with each float32 value rounded to the nearest that bfloat16 can hold. */
function rounded(proto) {
  const { dtype, shape, data } = tensorFromProto(proto);
  if (dtype !== "float32") return proto;
  const values = data.map((value) => bfloat16ToFloat32(float32ToBfloat16(value)));
  return tensorToProto({ dtype, shape, data: values }, proto.name);
}

const trained = await readModelFile(values.input);
const graph = copyMessage(trained.graph, { initializer: trained.graph.initializer.map(rounded) });
const model = withMetadata(copyMessage(trained, { graph }), { "nasty.data": JSON.stringify(values.data) });
const folder = fileURLToPath(new URL("../../packages/model-en/models/", import.meta.url));
if (!values["int8-only"])
  console.log(values.name, await writeModelFile(`${folder}${values.name}.onnx.gz`, model));
console.log(
  `${values.name}-int8`,
  await writeModelFile(`${folder}${values.name}-int8.onnx`, dynamic.quantize(model)),
);
