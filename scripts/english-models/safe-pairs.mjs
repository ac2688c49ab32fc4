// Makes the products of one of our dynamic int8 files exact on every processor where its float32 original is gone:
// weights with unsafe pairs are dequantized and quantized again with safe pairs. Where there is an original, quantize
// that: it loses less.
//   node scripts/english-models/safe-pairs.mjs --input OLD.onnx --output NEW.onnx
import { parseArgs } from "node:util";
import {
  dequantizeLinear,
  perChannel,
  quantizeLinear,
  safePairParameters,
  tensor,
} from "../../packages/core/dist/index.js";
import { copyMessage, tensorFromProto, tensorToProto } from "../../packages/formats/dist/onnx/index.js";
import { readModelFile, writeModelFile } from "../../packages/formats/dist/onnx/node.js";
import { ModelGraph, unsafePairs } from "../../packages/graph/dist/index.js";

const { values } = parseArgs({ options: { input: { type: "string" }, output: { type: "string" } } });
if (values.input === undefined || values.output === undefined) {
  console.error("--input or --output is missing; see the comment at the head of this script");
  process.exit(2);
}

const model = await readModelFile(values.input);
const initializers = new Map(model.graph.initializer.map((proto) => [proto.name, proto]));
for (const { weight, op, unsafe } of unsafePairs(ModelGraph.from(model))) {
  if (unsafe === 0) continue;
  const scaleName = weight.replace(/_q$/, "_scale");
  if (op !== "MatMulInteger" || !initializers.has(scaleName))
    throw new Error(`${weight}: no weight of a dynamic product of ours`);
  const integers = tensorFromProto(initializers.get(weight));
  const { data: scale } = tensorFromProto(initializers.get(scaleName));
  const old = { dtype: "int8", granularity: perChannel(1), scale, zeroPoint: new Int32Array(scale.length) };
  const real = dequantizeLinear(integers, old);
  const parameters = safePairParameters(real, { dtype: "int8", symmetric: true }, perChannel(1), [0]);
  initializers.set(weight, tensorToProto(quantizeLinear(real, parameters), weight));
  initializers.set(scaleName, tensorToProto(tensor("float32", [scale.length], parameters.scale), scaleName));
  console.log(`${weight}: ${unsafe} unsafe pairs, now none`);
}
const graph = copyMessage(model.graph, { initializer: [...initializers.values()] });
console.log(await writeModelFile(values.output, copyMessage(model, { graph })));
