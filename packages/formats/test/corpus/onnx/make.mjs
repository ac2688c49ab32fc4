// Makes the files of this folder from scratch: `node test/corpus/onnx/make.mjs` in packages/formats, after a build.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  serializeModel,
  withMetadata,
} from "@nasty/formats/onnx";

const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
function varint(value) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}
const number = (field, value) => join(varint(field * 8), varint(value));
const text = (content) => new TextEncoder().encode(content);
const block = (field, content, declared = content.length) => join(varint(field * 8 + 2), varint(declared), content);
const modelOf = (...fields) => join(number(1, 8), block(7, join(...fields)), block(8, number(2, 17)));
const tensor = (...fields) => modelOf(block(5, join(...fields, block(8, text("W")))));

function save(name, bytes) {
  const path = fileURLToPath(new URL(name, import.meta.url));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

const y = makeValueInfo("y", "float32", ["batch", 2]);
const x = makeValueInfo("x", "float32", ["batch", 3]);
const linear = makeGraph("linear", {
  nodes: [makeNode("Gemm", ["x", "W", "b"], ["y"], { attributes: { alpha: { kind: "float", value: 1 }, transB: 1 } })],
  inputs: [x],
  outputs: [y],
  initializers: [
    makeTensor("W", "float32", { shape: [2, 3], values: [1, -2, 3, 0.5, 0, -1] }),
    makeTensor("b", "float32", { values: [0.25, -0.25] }),
  ],
});
const branch = (name, value) =>
  makeGraph(name, {
    nodes: [makeNode("Add", ["x", "one"], [`${name}_y`])],
    outputs: [makeValueInfo(`${name}_y`, "float32")],
    initializers: [makeTensor("one", "float32", { shape: [], values: [value] })],
  });
const conditional = makeGraph("conditional", {
  nodes: [
    makeNode("If", ["flag"], ["y"], { attributes: { then_branch: branch("then", 1), else_branch: branch("else", -1) } }),
  ],
  inputs: [x, makeValueInfo("flag", "bool", [])],
  outputs: [y],
});
const dtypes = ["float64", "float32", "float16", "bfloat16", "int8", "uint8", "int16", "uint16", "int32", "uint32"];
const everyType = makeGraph("types", {
  nodes: [],
  outputs: [],
  initializers: [...dtypes, "int64", "uint64", "int4", "uint4", "bool"].map((dtype) =>
    makeTensor(dtype, dtype, { values: [1, 0, 1] }),
  ),
});

save("valid/linear.onnx", serializeModel(makeModel(linear, { opsets: { "": 17 }, irVersion: 8 })));
save("valid/if-branches.onnx", serializeModel(makeModel(conditional, { opsets: { "": 7 }, irVersion: 3 })));
save("valid/every-type.onnx", serializeModel(makeModel(everyType, { opsets: { "": 25 }, irVersion: 12 })));
save("valid/metadata.onnx", serializeModel(withMetadata(makeModel(linear), { "nasty.task": '{"version":1}' })));
save("valid/unknown-fields.onnx", join(modelOf(block(200, text("later"))), number(201, 7), block(202, [1, 2, 3])));
save("valid/typed-data.onnx", tensor(number(1, 2), number(2, 10), block(5, join(varint(0x3c00), varint(0xc000)))));
save("valid/set-to-nothing.onnx", join(number(1, 8), block(2, []), block(7, block(5, join(number(1, 0), number(2, 1), block(9, []))))));
save("valid/reordered/graph-first.onnx", join(block(7, block(2, text("g"))), number(1, 8)));
save("valid/reordered/unpacked.onnx", tensor(number(2, 7), number(1, 2), number(7, -1), number(7, 5)));
save("valid/reordered/packed-dims.onnx", tensor(block(1, [2, 2]), number(2, 2), block(9, [1, 2, 3, 4])));

save("invalid/not-a-model/empty.onnx", new Uint8Array(0));
save("invalid/not-a-model/readme.onnx", text("# A tagger\n\nSee the paper.\n"));
save("invalid/not-a-model/lfs-pointer.onnx", text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"));
save("invalid/not-a-model/graphless.onnx", number(1, 8));
save("invalid/truncated/half.onnx", serializeModel(makeModel(linear)).subarray(0, 100));
save("invalid/truncated/length-2-63.onnx", tensor(block(9, [], 2n ** 63n)));
save("invalid/truncated/length-beyond-parent.onnx", join(number(1, 8), block(7, block(2, text("g"), 40)), new Uint8Array(64)));
save("invalid/protobuf/wire-type.onnx", join(number(1, 8), number(7, 3)));
save("invalid/protobuf/endless-varint.onnx", join(number(1, 8), [0x28], new Uint8Array(16).fill(0xff)));
save("invalid/protobuf/field-zero.onnx", join(number(1, 8), [0]));
let nested = block(2, text("innermost"));
for (let depth = 0; depth < 60; depth++) nested = block(1, block(5, block(6, nested)));
save("invalid/limit/recursion-bomb.onnx", modelOf(nested));
save("invalid/limit/group-bomb.onnx", join(modelOf(), ...Array.from({ length: 500 }, () => varint(90 * 8 + 3))));
save("invalid/shape/negative-dim.onnx", tensor(number(1, -1), number(2, 1)));
save("invalid/shape/overflowing-dims.onnx", tensor(number(1, 2n ** 62n), number(1, 8), number(2, 1), block(9, [0, 0, 0, 0])));
save("invalid/size/short-raw-data.onnx", tensor(number(1, 4), number(2, 1), block(9, new Uint8Array(12))));
save("invalid/size/no-data.onnx", tensor(number(1, 4), number(2, 1)));
save("invalid/size/long-typed-data.onnx", tensor(number(1, 1), number(2, 6), block(5, [1, 2])));
save("invalid/duplicate/raw-and-typed.onnx", tensor(number(1, 1), number(2, 3), block(5, [1]), block(9, [1])));
