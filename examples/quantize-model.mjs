// Build a small ONNX graph, quantize it dynamically, run both, and see what the runtime executes.
import { apply, plan } from "@nasty/compression";
import { maxAbsoluteError, tensor } from "@nasty/core";
import { makeGraph, makeModel, makeNode, makeValueInfo, tensorToProto } from "@nasty/formats/onnx";
import { auditModel, openSession } from "@nasty/runtime";

const size = 64;
const weight = tensor(
  "float32",
  [size, size],
  Float32Array.from({ length: size * size }, (_, i) => Math.sin(i) / 8),
);
const bias = tensor("float32", [size], new Float32Array(size).fill(0.1));
const model = makeModel(
  makeGraph("dense", {
    nodes: [
      makeNode("MatMul", ["x", "weight"], ["product"], { name: "dense/MatMul" }),
      makeNode("Add", ["product", "bias"], ["y"], { name: "dense/Add" }),
    ],
    inputs: [makeValueInfo("x", "float32", ["batch", size])],
    outputs: [makeValueInfo("y", "float32", ["batch", size])],
    initializers: [tensorToProto(weight, "weight"), tensorToProto(bias, "bias")],
  }),
  { opsets: { "": 17 } },
);

const planned = await plan(model, { mode: "dynamic" });
console.log("will quantize:", planned.tensors.map(({ name }) => name).join(", "));
const { model: quantized, report } = await apply(model, planned);
console.log("SQNR of the weight:", report.tensors[0].sqnrDb.toFixed(1), "dB");

const feeds = {
  x: tensor(
    "float32",
    [2, size],
    Float32Array.from({ length: 2 * size }, (_, i) => Math.cos(i)),
  ),
};
const outputs = [];
for (const candidate of [model, quantized]) {
  const session = await openSession(candidate);
  outputs.push((await session.run(feeds)).y.data);
  await session.close();
}
console.log("largest difference:", maxAbsoluteError(outputs[0], outputs[1]).toFixed(4));
const audit = await auditModel(quantized);
console.log("quantized kernels:", audit.quantizedKernels, "float:", audit.floatMatMuls);
if (audit.quantizedKernels !== 1 || maxAbsoluteError(outputs[0], outputs[1]) > 0.1) process.exit(1);
