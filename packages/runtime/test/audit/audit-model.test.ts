import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ModelProto,
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type NodeProto,
  type TensorProto,
} from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { describe, expect, it } from "vitest";
import { ModelGraph } from "@nasty/graph";
import { auditGraph } from "../../src/audit/audit.js";
import { auditModel } from "../../src/index.js";
import {
  dynamicNodes,
  dynamicProduct,
  dynamicWeights,
  linearModel,
  modelOf,
  weight,
} from "../tiny-models.js";

/** Twelve layers of six products, three of which share an input, and a classifier: the matrices of BERT-base. */
const encoderOfProducts = (): ModelProto => {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let current = "x";
  for (let layer = 0; layer < 12; layer++) {
    const at = (name: string): string => `l${layer}${name}`;
    nodes.push(...dynamicNodes(at("q"), current, at("query")));
    nodes.push(
      ...dynamicProduct(at("k"), at("q"), at("key")),
      ...dynamicProduct(at("v"), at("q"), at("value")),
    );
    nodes.push(
      makeNode("Add", [at("query"), at("key")], [at("sum2")]),
      makeNode("Add", [at("sum2"), at("value")], [at("sum3")]),
    );
    nodes.push(
      ...dynamicNodes(at("o"), at("sum3"), at("attended")),
      makeNode("Tanh", [at("attended")], [at("tanh")]),
    );
    nodes.push(
      ...dynamicNodes(at("i"), at("tanh"), at("inner")),
      makeNode("Relu", [at("inner")], [at("relu")]),
    );
    nodes.push(...dynamicNodes(at("f"), at("relu"), at("out")), makeNode("Tanh", [at("out")], [at("next")]));
    for (const name of ["q", "k", "v", "o", "i", "f"]) initializers.push(...dynamicWeights(at(name), 16, 16));
    current = at("next");
  }
  nodes.push(...dynamicNodes("c", current, "y"));
  return modelOf(nodes, [...initializers, ...dynamicWeights("c", 16, 3)], { inputs: 16 });
};

const pair = (from: string, to: string): NodeProto[] => [
  makeNode("QuantizeLinear", [from, "s", "z"], [`${to}q`], { name: `q_${to}` }),
  makeNode("DequantizeLinear", [`${to}q`, "s", "z"], [to], { name: `dq_${to}` }),
];

const body = (name: string): ReturnType<typeof makeGraph> =>
  makeGraph(name, {
    nodes: [makeNode("MatMul", ["x", `${name}W`], [`${name}y`], { name: `${name}_dense` })],
    outputs: [makeValueInfo(`${name}y`, "float32", ["batch", 3])],
    initializers: [weight(`${name}W`, 4, 3)],
  });

describe("auditModel", () => {
  it("counts 73 quantized kernels and nothing else in twelve dynamically quantized layers", async () => {
    const audit = await auditModel(encoderOfProducts());
    expect(audit.quantizedKernels).toBe(73);
    expect(audit.floatMatMuls).toBe(0);
    expect(audit.strayQdq).toBe(0);
    expect(audit.warnings).toEqual([]);
    expect(audit.kernels.map(({ op, class: kernelClass }) => [op, kernelClass])).toEqual([
      ["DynamicQuantizeMatMul", "quantized"],
      ["MatMulIntegerToFloat", "quantized"],
    ]);
    expect(audit.kernels.reduce((sum, { count }) => sum + count, 0)).toBe(73);
  });

  it("names float matrix kernels with their reason", async () => {
    const audit = await auditModel(linearModel());
    expect(audit.quantizedKernels).toBe(0);
    expect(audit.floatKernels).toEqual([
      { node: "dense", op: "MatMul", reason: "its weight is float32: it was not quantized" },
    ]);
    expect(audit.floatMatMuls).toBe(1);
  });

  it("does not count a product of two activations", async () => {
    const model = modelOf(
      [
        makeNode("Transpose", ["x"], ["t"], { attributes: { perm: [1, 0] } }),
        makeNode("MatMul", ["x", "t"], ["y"]),
      ],
      [],
    );
    const audit = await auditModel(model);
    expect(audit.floatMatMuls).toBe(0);
    expect(audit.kernels.map(({ class: kernelClass, count }) => [kernelClass, count])).toEqual([
      ["float", 1],
    ]);
  });

  it("warns of a Gemm left beside quantized kernels", async () => {
    const model = modelOf(
      [
        ...dynamicNodes("a", "x", "h"),
        makeNode("Gemm", ["h", "W", "b"], ["y"], { name: "head", attributes: { alpha: 0.5 } }),
      ],
      [...dynamicWeights("a", 4, 4), weight("W", 4, 3), makeTensor("b", "float32", { values: [1, 2, 3] })],
    );
    const audit = await auditModel(model);
    expect([audit.quantizedKernels, audit.floatMatMuls]).toEqual([1, 1]);
    expect(audit.floatKernels[0]).toEqual({
      node: "head",
      op: "Gemm",
      reason: "Gemm has no dynamic kernel: it is quantized as MatMul and Add",
    });
    expect(audit.warnings).toEqual([
      "1 Gemm stayed in the file: rewrite it as MatMul and Add, or it stays float",
      "1 float matrix kernel with constant weights beside 1 quantized: see the reasons",
    ]);
  });

  it("tells stray pairs from the entry of a kernel", async () => {
    const model = modelOf(
      [
        ...pair("x", "a"),
        makeNode("DequantizeLinear", ["W", "s", "wz"], ["w"]),
        makeNode("MatMul", ["a", "w"], ["m"]),
        makeNode("Erf", ["m"], ["e"]),
        ...pair("e", "f"),
        makeNode("Tanh", ["f"], ["y"]),
      ],
      [
        makeTensor("s", "float32", { values: [0.1], shape: [] }),
        makeTensor("z", "uint8", { values: [128], shape: [] }),
        makeTensor("wz", "int8", { values: [0], shape: [] }),
        makeTensor("W", "int8", { values: Array.from({ length: 12 }, (_, i) => i - 6), shape: [4, 3] }),
      ],
    );
    const audit = await auditModel(model);
    expect(audit.quantizedKernels).toBe(1);
    expect(audit.qdqRoles).toEqual({ entry: 1, exit: 0, weight: 0, embedding: 0, stray: 2 });
    expect(audit.strays).toEqual([
      {
        node: "q_f",
        op: "QuantizeLinear",
        reason: "between Erf and DequantizeLinear, which have no quantized kernel here",
      },
      {
        node: "dq_f",
        op: "DequantizeLinear",
        reason: "between QuantizeLinear and Tanh, which have no quantized kernel here",
      },
    ]);
    expect(audit.warnings[0]).toContain("2 QuantizeLinear/DequantizeLinear nodes around float operators");
  });

  it("counts the dequantization of looked-up rows as a quantized embedding", async () => {
    const model = makeModel(
      makeGraph("embedding", {
        nodes: [
          makeNode("Gather", ["table", "ids"], ["rows"]),
          makeNode("DequantizeLinear", ["rows", "s", "z"], ["y"]),
        ],
        inputs: [makeValueInfo("ids", "int64", ["n"])],
        outputs: [makeValueInfo("y", "float32", ["n", 4])],
        initializers: [
          makeTensor("table", "int8", { values: Array.from({ length: 32 }, (_, i) => i), shape: [8, 4] }),
          makeTensor("s", "float32", { values: [0.1], shape: [] }),
          makeTensor("z", "int8", { values: [0], shape: [] }),
        ],
      }),
      { opsets: { "": 17 }, irVersion: 8 },
    );
    const audit = await auditModel(model);
    expect([audit.quantizedEmbeddings, audit.strayQdq]).toEqual([1, 0]);
    expect(audit.qdqRoles.embedding).toBe(1);
  });

  it("counts rows that are cast and scaled as a quantized embedding, and a lookup of plain integers not", async () => {
    const model = makeModel(
      makeGraph("embedding", {
        nodes: [
          makeNode("Gather", ["table", "ids"], ["rows"]),
          makeNode("Cast", ["rows"], ["real"], { attributes: { to: 1 } }),
          makeNode("Mul", ["real", "s"], ["y"]),
          makeNode("Gather", ["kinds", "ids"], ["kind"]),
          makeNode("Cast", ["kind"], ["k"], { attributes: { to: 1 } }),
          makeNode("Add", ["k", "k"], ["z"]),
        ],
        inputs: [makeValueInfo("ids", "int64", ["n"])],
        outputs: [makeValueInfo("y", "float32", ["n", 4]), makeValueInfo("z", "float32", ["n", 1])],
        initializers: [
          makeTensor("table", "int8", { values: Array.from({ length: 32 }, (_, i) => i), shape: [8, 4] }),
          makeTensor("kinds", "int8", { values: Array.from({ length: 8 }, (_, i) => i), shape: [8, 1] }),
          makeTensor("s", "float32", { values: [0.1, 0.2, 0.3, 0.4] }),
        ],
      }),
      { opsets: { "": 17 }, irVersion: 8 },
    );
    const audit = await auditModel(model);
    expect(audit.quantizedEmbeddings).toBe(1);
    expect(audit.kernels).toEqual([{ op: "Gather", domain: "", class: "quantized-embedding", count: 1 }]);
  });

  it("takes a quantizer for one of a kernel only where the integers themselves reach it", async () => {
    const model = makeModel(
      makeGraph("strays", {
        nodes: [
          makeNode("QuantizeLinear", ["x", "s", "zero"], ["q"]),
          makeNode("DequantizeLinear", ["q", "s", "zero"], ["real"]),
          makeNode("Relu", ["real"], ["r"]),
          makeNode("QuantizeLinear", ["r", "s", "zero"], ["p"]),
          makeNode("Reshape", ["p", "shape"], ["rows"]),
          makeNode("MatMulInteger", ["rows", "W"], ["y"]),
        ],
        inputs: [makeValueInfo("x", "float32", [2, 4])],
        outputs: [makeValueInfo("y", "int32", [2, 4])],
        initializers: [
          makeTensor("s", "float32", { values: [0.1], shape: [] }),
          makeTensor("zero", "uint8", { values: [0], shape: [] }),
          makeTensor("shape", "int64", { values: [2, 4] }),
          makeTensor("W", "int8", { values: Array.from({ length: 16 }, (_, i) => i), shape: [4, 4] }),
        ],
      }),
    );
    const { qdqRoles, quantizedKernels, strays } = auditGraph(ModelGraph.from(model));
    expect(qdqRoles).toEqual({ entry: 1, exit: 0, weight: 0, embedding: 0, stray: 2 });
    expect(quantizedKernels).toBe(1);
    expect(strays.map(({ op }) => op)).toEqual(["QuantizeLinear", "DequantizeLinear"]);
  });

  it("looks into the bodies of If", async () => {
    const model = makeModel(
      makeGraph("branches", {
        nodes: [
          makeNode("If", ["c"], ["y"], {
            name: "choice",
            attributes: { then_branch: body("then"), else_branch: body("else") },
          }),
        ],
        inputs: [makeValueInfo("c", "bool", []), makeValueInfo("x", "float32", ["batch", 4])],
        outputs: [makeValueInfo("y", "float32", ["batch", 3])],
      }),
      { opsets: { "": 17 }, irVersion: 8 },
    );
    const audit = await auditModel(model);
    expect(audit.floatKernels.map(({ node }) => node).sort()).toEqual([
      "main/choice.else_branch/else_dense",
      "main/choice.then_branch/then_dense",
    ]);
  });

  it("counts unsafe pairs in the weights as they were written, and says what they mean", async () => {
    const nodes = dynamicNodes("w", "x", "y");
    const [, ...rest] = dynamicWeights("w", 4, 3);
    const of = (values: readonly number[]) =>
      modelOf(nodes, [makeTensor("wW", "int8", { values, shape: [4, 3] }), ...rest], { inputs: 4 });
    const safe = await auditModel(of([64, 127, 1, 64, -127, 1, 0, 0, 0, 128 - 1, 0, 0]));
    expect(safe).toMatchObject({ unsafePairs: 0, unsafeProducts: { unsafe: 0, all: 1 }, warnings: [] });
    const full = await auditModel(of([65, -127, 1, 64, -127, 1, 0, 0, 0, 127, 0, 0]));
    expect(full).toMatchObject({ unsafePairs: 2, unsafeProducts: { unsafe: 1, all: 1 } });
    expect(full.warnings).toEqual([
      "2 pairs of neighbouring int8 weights in 1 of 1 product can overflow 16-bit sums: on processors without int8 dot products (x86 without VNNI) the file computes other numbers; quantize with safe pairs",
    ]);
  });

  it("does without that figure where weights lie in another file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "nasty-external-"));
    const path = join(folder, "model.onnx");
    const model = modelOf(dynamicNodes("w", "x", "y"), dynamicWeights("w", 4, 3));
    await writeModelFile(path, model, { externalData: { thresholdBytes: 4 } });
    expect(await auditModel(path)).toMatchObject({ unsafePairs: null, unsafeProducts: null });
    await rm(folder, { recursive: true });
  });

  it("warns of a file that was fused before", async () => {
    const model = modelOf(
      [makeNode("FusedMatMul", ["x", "W"], ["y"], { domain: "com.microsoft" })],
      [weight("W", 4, 3)],
    );
    expect((await auditModel(model)).warnings[0]).toMatch(
      /^the file was optimized before \(1 fused node: FusedMatMul\)/,
    );
  });

  it.each([
    [[4], /^4-bit weights save size, not time/],
    [[8], /^8-bit weights save size, not time/],
    [[8, 4], /^4- and 8-bit weights save size, not time/],
  ])("names the bits of weights in blocks: %j", async (bits, warning) => {
    const names = ["x", ...bits.slice(1).map((_, at) => `h${at}`), "y"];
    const nodes = bits.map((count, at) =>
      makeNode("MatMulNBits", [names[at] as string, `B${at}`, `s${at}`], [names[at + 1] as string], {
        domain: "com.microsoft",
        attributes: { K: 16, N: 16, bits: count, block_size: 16 },
      }),
    );
    const weights = bits.flatMap((count, at) => [
      makeTensor(`B${at}`, "uint8", {
        values: Array.from({ length: 32 * count }, () => 1),
        shape: [16, 1, 2 * count],
      }),
      makeTensor(`s${at}`, "float32", { values: Array.from({ length: 16 }, () => 1), shape: [16, 1] }),
    ]);
    const { warnings } = await auditModel(modelOf(nodes, weights, { inputs: 16, outputs: 16 }));
    expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  it("does not take the dynamic kernel of an old operator set for a fusion", async () => {
    const initializers = [
      makeTensor("W", "int8", { values: Array.from({ length: 12 }, (_, i) => i - 6), shape: [4, 3] }),
      makeTensor("s", "float32", { values: [0.1], shape: [] }),
    ];
    const nodes = [makeNode("DynamicQuantizeMatMul", ["x", "W", "s"], ["y"], { domain: "com.microsoft" })];
    const warningsAt = async (opset: number): Promise<readonly string[]> => {
      const { graph } = modelOf(nodes, initializers);
      if (graph === undefined) throw new TypeError("no graph");
      const model = makeModel(graph, { opsets: { "": opset, "com.microsoft": 1 }, irVersion: 5 });
      const { warnings } = await auditModel(model);
      return warnings.filter((text) => text.includes("optimized before"));
    };
    expect(await warningsAt(10)).toEqual([]);
    expect(await warningsAt(17)).toHaveLength(1);
  });

  it("takes neither the Gemm of a static file nor its MatMulIntegerToFloat for what was left or fused", async () => {
    const scalar = (name: string, dtype: "float32" | "uint8" | "int8", value: number) =>
      makeTensor(name, dtype, { values: [value], shape: [] });
    const shared = [
      scalar("s", "float32", 0.1),
      scalar("z", "uint8", 128),
      scalar("zw", "int8", 0),
      makeTensor("W", "int8", { values: Array.from({ length: 12 }, (_, i) => i - 6), shape: [4, 3] }),
    ];
    const quantize = makeNode("QuantizeLinear", ["x", "s", "z"], ["q"]);
    const pairs = [
      quantize,
      makeNode("DequantizeLinear", ["q", "s", "z"], ["d"]),
      makeNode("DequantizeLinear", ["W", "s", "zw"], ["w"]),
      makeNode("Gemm", ["d", "w"], ["y"], { name: "dense" }),
    ];
    const kernel = makeNode("MatMulIntegerToFloat", ["q", "W", "s", "s", "z", "zw"], ["y"], {
      domain: "com.microsoft",
    });
    for (const nodes of [pairs, [quantize, kernel]]) {
      const audit = await auditModel(modelOf(nodes, shared));
      expect(audit).toMatchObject({ quantizedKernels: 1, floatMatMuls: 0, warnings: [] });
    }
  });

  it("takes a MaxPool of integers for no float operator", async () => {
    const scalar = (name: string, dtype: "float32" | "uint8", value: number) =>
      makeTensor(name, dtype, { values: [value], shape: [] });
    const weight = makeTensor("W", "int8", {
      values: Array.from({ length: 64 }, (_, i) => i - 32),
      shape: [8, 8, 1, 1],
    });
    const rounded = (name: string) => [
      makeNode("QuantizeLinear", [name, "s", "z"], [`${name}q`]),
      makeNode("DequantizeLinear", [`${name}q`, "s", "z"], [`${name}d`]),
    ];
    const graph = makeGraph("pooled", {
      nodes: [
        makeNode("LeakyRelu", ["x"], ["a"]),
        makeNode("MaxPool", ["a"], ["p"], { attributes: { kernel_shape: [2, 2], strides: [2, 2] } }),
        ...rounded("p"),
        makeNode("DequantizeLinear", ["W", "s"], ["w"]),
        makeNode("Conv", ["pd", "w"], ["c"]),
        ...rounded("c"),
        makeNode("LeakyRelu", ["cd"], ["y"]),
      ],
      inputs: [makeValueInfo("x", "float32", [1, 8, 6, 6])],
      outputs: [makeValueInfo("y", "float32")],
      initializers: [weight, scalar("s", "float32", 0.1), scalar("z", "uint8", 128)],
    });
    const audit = await auditModel(makeModel(graph, { opsets: { "": 17 }, irVersion: 8 }));
    expect(audit).toMatchObject({ quantizedKernels: 1, strayQdq: 0, warnings: [] });
  });

  it("writes the optimized graph where it is told to, and takes it away again", async () => {
    const folder = await mkdtemp(join(tmpdir(), "audit-"));
    let meanwhile: readonly string[] = [];
    await auditModel(linearModel(), {
      folder,
      async use() {
        meanwhile = await readdir(folder, { recursive: true });
      },
    });
    expect(meanwhile.filter((name) => name.endsWith("optimized.onnx"))).toHaveLength(1);
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });

  it("leaves nothing in the temporary folder", async () => {
    // One of its own: other tests audit at the same time.
    const [usual, folder] = [process.env["TMPDIR"], await mkdtemp(join(tmpdir(), "audit-"))];
    process.env["TMPDIR"] = folder;
    try {
      expect(tmpdir()).toBe(folder);
      await auditModel(linearModel());
      await expect(auditModel(new TextEncoder().encode("text"))).rejects.toMatchObject({
        code: "not-a-model",
      });
      expect(await readdir(folder)).toEqual([]);
    } finally {
      if (usual === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = usual;
      await rm(folder, { recursive: true });
    }
  });
});
