// Checks core's integer arithmetic, the runtime and the portable engine against a folder of ONNX backend node tests
// (https://github.com/onnx/onnx, onnx/backend/test/data/node: each folder has model.onnx and test_data_set_N).
//
//   node scripts/onnx-conformance.mjs FOLDER     (after the build)
//
// Integers must be equal, float results equal to 1e-6 through core (1e-3 for float16 and through the runtime, as the
// suite itself asks). Cases with element types that the project does not have (float8, float4, int2 and uint2) are
// listed as such. Exit code 1 on a mismatch, 3 when there is nothing to check.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as core from "../packages/core/dist/index.js";
import * as onnx from "../packages/formats/dist/onnx/index.js";
import { openSession } from "../packages/runtime/dist/index.js";

const folder = process.argv[2];
if (folder === undefined) {
  console.error("usage: node scripts/onnx-conformance.mjs FOLDER   (with FOLDER/test_*/model.onnx)");
  process.exit(2);
}
const cases = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => existsSync(join(folder, name, "model.onnx")))
      .sort()
  : [];
if (cases.length === 0) {
  console.error(`onnx-conformance: not checked: no test cases in ${folder}`);
  process.exit(3);
}

class Unsupported extends Error {}

const floats = core.toFloat32;
const integers = (t) => Int32Array.from(floats(t));
const asFloat = (t) => core.tensor("float32", t.shape, floats(t));

function granularityOf(node, scale) {
  const axis = onnx.intAttribute(node, "axis", 1);
  if (scale.shape.length === 0 || (scale.shape.length === 1 && scale.shape[0] === 1)) return core.perTensor;
  if (scale.shape.length === 1) return core.perChannel(axis);
  return core.perBlock(axis, onnx.intAttribute(node, "block_size", 0));
}

function parametersOf(node, dtype, scale, zeroPoint) {
  const scales = floats(scale);
  return {
    dtype,
    granularity: granularityOf(node, scale),
    scale: scales,
    zeroPoint: zeroPoint ? integers(zeroPoint) : new Int32Array(scales.length),
  };
}

const operand = (values, scale, zeroPoint) => ({
  values,
  scale: floats(scale),
  zeroPoint: integers(zeroPoint),
});

const resultOf = (scale, zeroPoint) => ({
  dtype: zeroPoint.dtype,
  scale: floats(scale)[0],
  zeroPoint: integers(zeroPoint)[0],
});

const convAttributes = (node) => ({
  autoPad: onnx.stringAttribute(node, "auto_pad", "NOTSET"),
  strides: onnx.intsAttribute(node, "strides"),
  pads: onnx.intsAttribute(node, "pads"),
  dilations: onnx.intsAttribute(node, "dilations"),
  group: onnx.intAttribute(node, "group", 1),
});

const at = (t, i) => t.data[t.data.length === 1 ? 0 : i];

/** Element by element in float32; an operand of one element serves all. */
const elementwise =
  (f) =>
  (_node, ...inputs) => {
    const longest = inputs.reduce((a, b) => (b.data.length > a.data.length ? b : a));
    return [
      core.tensor(
        "float32",
        longest.shape,
        longest.data.map((_, i) => f(...inputs.map((t) => at(t, i)))),
      ),
    ];
  };

const reduceAll = (f) => (_node, x) => [core.tensor("float32", [], Float32Array.of(x.data.reduce(f)))];

const operators = {
  QuantizeLinear(node, x, scale, zeroPoint) {
    const wanted = onnx.intAttribute(node, "output_dtype", 0);
    const dtype = zeroPoint?.dtype ?? (wanted === 0 ? "uint8" : onnx.dtypeOf(wanted));
    return [core.quantizeLinear(asFloat(x), parametersOf(node, dtype, scale, zeroPoint))];
  },
  DequantizeLinear(node, x, scale, zeroPoint) {
    const wanted = onnx.intAttribute(node, "output_dtype", 0);
    const y = core.dequantizeLinear(x, parametersOf(node, x.dtype, scale, zeroPoint));
    return [core.cast(y, wanted === 0 ? scale.dtype : onnx.dtypeOf(wanted))];
  },
  DynamicQuantizeLinear(_node, x) {
    const { y, scale, zeroPoint } = core.dynamicQuantizeLinear(x);
    return [
      y,
      core.tensor("float32", [], Float32Array.of(scale)),
      core.tensor("uint8", [], Uint8Array.of(zeroPoint)),
    ];
  },
  MatMulInteger: (_node, a, b, aZero, bZero) => [
    core.matMulInteger(a, b, { a: aZero && integers(aZero), b: bZero && integers(bZero) }),
  ],
  QLinearMatMul: (_node, a, aScale, aZero, b, bScale, bZero, yScale, yZero) => [
    core.qLinearMatMul(operand(a, aScale, aZero), operand(b, bScale, bZero), resultOf(yScale, yZero)),
  ],
  ConvInteger: (node, x, w, xZero, wZero) => [
    core.convInteger(x, w, {
      ...convAttributes(node),
      xZeroPoint: xZero ? integers(xZero)[0] : 0,
      wZeroPoint: wZero ? integers(wZero) : [0],
    }),
  ],
  QLinearConv: (node, x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias) => [
    core.qLinearConv(operand(x, xScale, xZero), operand(w, wScale, wZero), {
      ...resultOf(yScale, yZero),
      ...convAttributes(node),
      bias,
    }),
  ],
  // What the function body of DynamicQuantizeLinear is made of.
  Constant: (node) => [onnx.tensorFromProto(onnx.tensorAttribute(node, "value"))],
  Identity: (_node, x) => [x],
  Cast: (node, x) => [core.cast(x, onnx.dtypeOf(onnx.intAttribute(node, "to")))],
  ReduceMin: reduceAll((a, b) => Math.min(a, b)),
  ReduceMax: reduceAll((a, b) => Math.max(a, b)),
  Min: elementwise(Math.min),
  Max: elementwise(Math.max),
  Sub: elementwise((a, b) => a - b),
  Div: elementwise((a, b) => a / b),
  Clip: elementwise((x, low = -Infinity, high = Infinity) => Math.min(high, Math.max(low, x))),
  Round: elementwise(core.roundHalfEven),
};

function throughCore(model, feeds) {
  const values = new Map(Object.entries(feeds));
  for (const initializer of model.graph.initializer)
    values.set(initializer.name, onnx.tensorFromProto(initializer));
  for (const node of model.graph.node) {
    const operator = operators[node.opType];
    if (operator === undefined) throw new Unsupported(`operator ${node.opType}`);
    const outputs = operator(node, ...node.input.map((name) => values.get(name)));
    node.output.forEach((name, i) => values.set(name, outputs[i]));
  }
  return Object.fromEntries(model.graph.output.map(({ name }) => [name, values.get(name)]));
}

const isFourBit = ({ dtype }) => dtype === "int4" || dtype === "uint4";

/** The same model with 4-bit inputs as initializers and 4-bit outputs cast: the JavaScript binding carries neither. */
function carriable(model, feeds, expected) {
  const { graph } = model;
  const fourBitInputs = Object.entries(feeds).filter(([, t]) => isFourBit(t));
  const fourBitOutputs = Object.entries(expected).filter(([, t]) => isFourBit(t));
  const casts = fourBitOutputs.map(([name]) =>
    onnx.makeNode("Cast", [name], [`${name}_carried`], { attributes: { to: onnx.dataTypeOf("int32") } }),
  );
  return {
    ...model,
    graph: {
      ...graph,
      node: [...graph.node, ...casts],
      initializer: [...graph.initializer, ...fourBitInputs.map(([name, t]) => onnx.tensorToProto(t, name))],
      input: graph.input.filter(({ name }) => !fourBitInputs.some(([input]) => input === name)),
      output: graph.output.map((output) => {
        const found = fourBitOutputs.find(([name]) => name === output.name);
        return found ? onnx.makeValueInfo(`${output.name}_carried`, "int32", found[1].shape) : output;
      }),
    },
  };
}

async function throughRuntime(model, feeds, expected, engine) {
  const fed = Object.fromEntries(Object.entries(feeds).filter(([, t]) => !isFourBit(t)));
  let session;
  try {
    session = await openSession(onnx.serializeModel(carriable(model, feeds, expected)), { engine });
    const got = await session.run(fed);
    return Object.fromEntries(
      Object.entries(expected).map(([name, t]) => [
        name,
        isFourBit(t) ? core.cast(got[`${name}_carried`], t.dtype) : got[name],
      ]),
    );
  } catch (error) {
    const message = fullMessage(error);
    // The runtime says so itself when it has no kernel for a case; a wrong result is never excused.
    if (engine === "portable" && error.code?.startsWith("unsupported-"))
      throw new Unsupported(`the portable engine refuses: ${message.split("; ")[0].split("got ").at(-1)}`);
    const reason =
      /[^.:]*(not supported|not implemented|NOT_IMPLEMENTED|Could not find an implementation)[^.:]*/i.exec(
        message,
      );
    if (reason) throw new Unsupported(`the runtime refuses: ${reason[0].trim()}`);
    throw error;
  } finally {
    await session?.close();
  }
}

const fullMessage = (error) => `${error.message}${error.cause ? ` ${fullMessage(error.cause)}` : ""}`;

/** The first difference as text, undefined when there is none. */
function difference(expected, got, tolerance) {
  if (got === undefined) return "missing";
  if (got.dtype !== expected.dtype) return `dtype: expected ${expected.dtype}, got ${got.dtype}`;
  if (got.shape.join() !== expected.shape.join()) {
    return `shape: expected [${expected.shape}], got [${got.shape}]`;
  }
  const [a, b] = [floats(expected), floats(got)];
  const allowed = expected.dtype.includes("float") ? tolerance : 0;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i] && !(Math.abs(a[i] - b[i]) <= allowed * Math.abs(a[i]) + allowed * 1e-4)) {
      return `element ${i}: expected ${a[i]}, got ${b[i]}`;
    }
  }
  return undefined;
}

const named = (values, tensors) => Object.fromEntries(tensors.map((t, i) => [values[i].name, t]));

function dataSets(path, model) {
  const numbered = (set, kind) =>
    readdirSync(join(path, set))
      .filter((file) => file.startsWith(`${kind}_`))
      .sort((a, b) => Number(a.match(/\d+/)[0]) - Number(b.match(/\d+/)[0]))
      .map((file) => onnx.tensorFromProto(onnx.parseTensor(readFileSync(join(path, set, file)))));
  return readdirSync(path)
    .filter((name) => name.startsWith("test_data_set_"))
    .map((set) => ({
      feeds: named(model.graph.input, numbered(set, "input")),
      expected: named(model.graph.output, numbered(set, "output")),
    }));
}

/** "ok", "FAIL: …" or "-: …" (not applicable) of one way of computing a case. */
async function verdict(sets, compute, toleranceOf) {
  try {
    for (const { feeds, expected } of sets) {
      const got = await compute(feeds, expected);
      for (const [name, tensor] of Object.entries(expected)) {
        const found = difference(tensor, got[name], toleranceOf(tensor));
        if (found !== undefined) return `FAIL: ${name}: ${found}`;
      }
    }
    return "ok";
  } catch (error) {
    return error instanceof Unsupported ? `-: ${error.message}` : `FAIL: ${fullMessage(error)}`;
  }
}

const counts = { ok: 0, FAIL: 0, "-": 0, unsupported: 0 };
const width = Math.max(...cases.map((name) => name.length));
console.log(`${"case".padEnd(width)}  core     native   portable`);
for (const name of cases) {
  const path = join(folder, name);
  let model;
  let sets;
  try {
    model = onnx.parseModel(readFileSync(join(path, "model.onnx")));
    sets = dataSets(path, model);
    if (sets.length === 0) throw new Error("test data: expected at least one test_data_set folder, got none");
  } catch (error) {
    if (error.code === "unknown-dtype") {
      counts.unsupported++;
      console.log(`${name.padEnd(width)}  unsupported type: ${error.message.split("got ").at(-1)}`);
    } else {
      counts.FAIL++;
      console.log(`${name.padEnd(width)}  FAIL: ${fullMessage(error)}`);
    }
    continue;
  }
  const results = [
    await verdict(
      sets,
      (feeds) => throughCore(model, feeds),
      ({ dtype }) => (dtype === "float16" || dtype === "bfloat16" ? 1e-3 : 1e-6),
    ),
    ...(await Promise.all(
      ["native", "portable"].map((engine) =>
        verdict(
          sets,
          (feeds, expected) => throughRuntime(model, feeds, expected, engine),
          () => 1e-3,
        ),
      ),
    )),
  ];
  for (const result of results) counts[result.split(":")[0]]++;
  console.log(`${name.padEnd(width)}  ${results.map((result) => result.padEnd(7)).join("  ")}`);
}
console.log(
  `onnx-conformance: ${cases.length} cases: ${counts.ok} results as expected, ${counts.FAIL} failed, ` +
    `${counts["-"]} not applicable, ${counts.unsupported} cases with unsupported types`,
);
process.exit(counts.FAIL === 0 ? 0 : 1);
