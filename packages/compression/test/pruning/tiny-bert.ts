import { tensor, type Tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { int64, noise } from "../tiny-models.js";

export interface TinyBert {
  readonly layers?: number;
  readonly heads?: number;
  readonly inner?: number;
  /**
   * Heads and lengths written down, computed from shapes with the heads written down, or left for the runtime to infer.
   */
  readonly reshape?: "constant" | "computed" | "inferred";
  /** Where layers are normalised. */
  readonly norm?: "post" | "pre";
  /** LayerNormalization as one operator, or in its parts as before opset 17. */
  readonly normForm?: "operator" | "parts";
  readonly activation?: "erf" | "relu" | "gated";
  /** Where weights are: initializers, Constant nodes, or initializers behind a Transpose. */
  readonly weights?: "initializer" | "constant" | "transposed";
  /**
   * Queries and keys as [b, heads, s, width], keys transposed by way of three dimensions with the scale on both sides,
   * as dynamic exports of scaled dot product attention have it, or products of [b·heads, s, width].
   */
  readonly attention?: "plain" | "decomposed" | "batched";
  /** Products of the whole batch, or Gemm of its rows. */
  readonly linearForm?: "matmul" | "gemm";
  /** Names that say nothing: `node_MatMul_12`, `val_7`. */
  readonly anonymous?: boolean;
  /** A bias of [1, heads, 1, 1] on the scores. */
  readonly headBias?: boolean;
  /** The output layer multiplies with the transposed embeddings. */
  readonly tied?: boolean;
  /** The joined heads are an output of the model too. */
  readonly leak?: boolean;
}

export const hidden = 16;
export const vocabulary = 40;
const labels = 5;

/** An encoder as PyTorch exports it, with seeded weights: token ids and mask in, logits [batch, sequence, 5] out. */
export function tinyBert({
  layers = 2,
  heads = 4,
  inner = 24,
  reshape = "constant",
  norm = "post",
  normForm = "operator",
  activation = "erf",
  weights = "initializer",
  headBias = false,
  attention = "plain",
  linearForm = "matmul",
  anonymous = false,
  tied = false,
  leak = false,
}: TinyBert = {}): ModelProto {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let seed = 1;
  let numbers = 0;
  const constant = (given: string, value: Tensor): string => {
    const name = anonymous ? `val_${numbers++}` : given;
    initializers.push(tensorToProto(value, name));
    return name;
  };
  const random = (name: string, shape: readonly number[], deviation = 0.25): string =>
    constant(
      name,
      tensor(
        "float32",
        shape,
        noise(
          shape.reduce((a, b) => a * b, 1),
          seed++,
          deviation,
        ),
      ),
    );
  const scalar = (name: string, value: number): string =>
    constant(name, tensor("float32", [], Float32Array.of(value)));
  const add = (
    name: string,
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, number | readonly number[]> = {},
  ): string => {
    const output = anonymous ? `val_${numbers++}` : `${name}_out`;
    const label = anonymous ? `node_${opType}_${numbers++}` : name;
    nodes.push(makeNode(opType, inputs, [output], { name: label, attributes }));
    return output;
  };
  const weight = (name: string, rows: number, columns: number): string => {
    const values = (shape: readonly number[]) =>
      tensor("float32", shape, noise(rows * columns, seed++, 0.25));
    if (weights === "constant") {
      nodes.push(
        makeNode("Constant", [], [name], {
          name: `${name}/constant`,
          attributes: { value: tensorToProto(values([rows, columns]), "") },
        }),
      );
      return name;
    }
    return weights === "transposed"
      ? add(`${name}/Transpose`, "Transpose", [constant(name, values([columns, rows]))], { perm: [1, 0] })
      : constant(name, values([rows, columns]));
  };
  const linear = (name: string, x: string, rows: number, columns: number): string => {
    if (linearForm === "gemm") {
      const list = add(`${name}/rows`, "Reshape", [x, constant(`${name}/flat`, int64([-1, rows]))]);
      const matrix = weight(`${name}.weight`, rows, columns);
      const made = add(`${name}/Gemm`, "Gemm", [list, matrix, random(`${name}.bias`, [columns])]);
      return add(`${name}/batch`, "Reshape", [made, target(`${name}/batch`, x, [columns])]);
    }
    const product = add(`${name}/MatMul`, "MatMul", [x, weight(`${name}.weight`, rows, columns)]);
    return add(`${name}/Add`, "Add", [random(`${name}.bias`, [columns]), product]);
  };
  const normalise = (name: string, x: string): string => {
    const scale = constant(
      `${name}.weight`,
      tensor(
        "float32",
        [hidden],
        noise(hidden, seed++, 0.1).map((v) => 1 + v),
      ),
    );
    const bias = random(`${name}.bias`, [hidden]);
    if (normForm === "operator") {
      return add(name, "LayerNormalization", [x, scale, bias], { axis: -1 });
    }
    const mean = add(`${name}/mean`, "ReduceMean", [x], { axes: [-1], keepdims: 1 });
    const centred = add(`${name}/Sub`, "Sub", [x, mean]);
    const square = add(`${name}/Pow`, "Pow", [centred, scalar(`${name}/two`, 2)]);
    const variance = add(`${name}/variance`, "ReduceMean", [square], { axes: [-1], keepdims: 1 });
    const safe = add(`${name}/epsilon`, "Add", [variance, scalar(`${name}/small`, 1e-5)]);
    const ratio = add(`${name}/Div`, "Div", [centred, add(`${name}/Sqrt`, "Sqrt", [safe])]);
    return add(`${name}/Add`, "Add", [add(`${name}/Mul`, "Mul", [ratio, scale]), bias]);
  };
  const width = hidden / heads;
  /** A target of Reshape with the sizes of the input's first two dimensions. */
  const target = (name: string, x: string, sizes: readonly number[]): string => {
    const last = reshape === "inferred" ? sizes.with(0, -1) : sizes;
    if (reshape === "constant") {
      return constant(`${name}/sizes`, int64([0, 0, ...sizes]));
    }
    const shape = add(`${name}/Shape`, "Shape", [x]);
    const parts = [0, 1].map((axis) =>
      add(`${name}/Unsqueeze${axis}`, "Unsqueeze", [
        add(`${name}/Gather${axis}`, "Gather", [shape, constant(`${name}/axis${axis}`, int64([axis], []))]),
        constant(`${name}/zero${axis}`, int64([0])),
      ]),
    );
    const rest = last.map((size, index) => constant(`${name}/size${index}`, int64([size])));
    return add(`${name}/Concat`, "Concat", [...parts, ...rest], { axis: 0 });
  };

  /** Some of the sizes of a value, joined with others. */
  const sizes = (
    name: string,
    x: string,
    parts: readonly (readonly [first: number, end: number] | number)[],
  ): string => {
    const shape = add(`${name}/Shape`, "Shape", [x]);
    const vectors = parts.map((part, index) => {
      const bound = (what: string, size: number) => constant(`${name}/${what}${index}`, int64([size]));
      if (typeof part === "number") return bound("size", part);
      return add(`${name}/Slice${index}`, "Slice", [shape, bound("first", part[0]), bound("end", part[1])]);
    });
    return add(`${name}/sizes`, "Concat", vectors, { axis: 0 });
  };
  const flatBatch = (name: string, x: string): string =>
    add(`${name}/flat`, "Reshape", [x, sizes(`${name}/flat`, x, [-1, [2, 4]])]);
  const root = (name: string) => scalar(name, Math.sqrt(1 / Math.sqrt(width)));
  const productOf = {
    plain: (at: string, query: string, key: string): string =>
      add(`${at}/scale`, "Div", [
        add(`${at}/scores`, "MatMul", [query, key]),
        scalar(`${at}/root`, Math.sqrt(width)),
      ]),
    decomposed: (at: string, query: string, key: string): string => {
      const turned = add(`${at}/turned`, "Transpose", [flatBatch(`${at}/key`, key)], { perm: [0, 2, 1] });
      const whole = sizes(`${at}/key/whole`, key, [
        [0, 2],
        [3, 4],
        [2, 3],
      ]);
      const keys = add(`${at}/keys`, "Reshape", [turned, whole], { allowzero: 1 });
      const scaled = [query, keys].map((x, index) =>
        add(`${at}/scaled${index}`, "Mul", [x, root(`${at}/root${index}`)]),
      );
      return add(`${at}/scores`, "MatMul", scaled);
    },
    batched: (at: string, query: string, key: string): string => {
      const scaled = add(`${at}/scaled`, "Mul", [query, scalar(`${at}/root`, 1 / Math.sqrt(width))]);
      const keys = add(`${at}/keys`, "Transpose", [flatBatch(`${at}/key`, key)], { perm: [0, 2, 1] });
      const product = add(`${at}/scores`, "MatMul", [flatBatch(`${at}/query`, scaled), keys]);
      const whole = sizes(`${at}/scores`, query, [
        [0, 3],
        [2, 3],
      ]);
      return add(`${at}/whole`, "Reshape", [product, whole], { allowzero: 1 });
    },
  };
  const contextOf = (at: string, scores: string, value: string): string => {
    if (attention !== "batched") {
      const shares = add(`${at}/Softmax`, "Softmax", [scores], { axis: -1 });
      return add(`${at}/context`, "MatMul", [shares, value]);
    }
    const shares = add(`${at}/Softmax`, "Softmax", [flatBatch(`${at}/shares`, scores)], { axis: -1 });
    const context = add(`${at}/context`, "MatMul", [shares, flatBatch(`${at}/value`, value)]);
    return add(`${at}/heads`, "Reshape", [context, sizes(`${at}/heads`, value, [[0, 4]])]);
  };

  const embeddings = random("embeddings", [vocabulary, hidden], 1);
  const words = add("embed", "Gather", [embeddings, "input_ids"]);
  let x = norm === "post" ? normalise("embed_norm", words) : words;
  const wide = add("mask/Unsqueeze", "Unsqueeze", ["attention_mask", constant("mask_axes", int64([1, 2]))]);
  const missing = add("mask/Sub", "Sub", [scalar("one", 1), add("mask/Cast", "Cast", [wide], { to: 1 })]);
  const mask = add("mask/Mul", "Mul", [missing, scalar("lowest", -10_000)]);

  for (let layer = 0; layer < layers; layer++) {
    const at = `layer.${layer}`;
    const given = norm === "pre" ? normalise(`${at}/before_attention`, x) : x;
    const split = (which: string, perm: readonly number[]): string => {
      const name = `${at}/${which}`;
      const projected = linear(name, given, hidden, hidden);
      const parts = add(`${name}/Reshape`, "Reshape", [projected, target(name, projected, [heads, width])]);
      return add(`${name}/Transpose`, "Transpose", [parts], { perm });
    };
    const query = split("query", [0, 2, 1, 3]);
    const key = split("key", attention === "plain" ? [0, 2, 3, 1] : [0, 2, 1, 3]);
    const value = split("value", [0, 2, 1, 3]);
    let scores = productOf[attention](at, query, key);
    if (headBias) {
      scores = add(`${at}/head_bias`, "Add", [scores, random(`${at}/head.bias`, [1, heads, 1, 1])]);
    }
    scores = add(`${at}/masked`, "Add", [scores, mask]);
    const context = contextOf(at, scores, value);
    const flat = add(`${at}/context_Transpose`, "Transpose", [context], { perm: [0, 2, 1, 3] });
    const joined = add(`${at}/joined`, "Reshape", [flat, target(`${at}/joined`, flat, [hidden])]);
    const attended = linear(`${at}/attention_output`, joined, hidden, hidden);
    x = add(`${at}/attention_residual`, "Add", [attended, x]);
    x = norm === "post" ? normalise(`${at}/attention_norm`, x) : x;

    const fed = norm === "pre" ? normalise(`${at}/before_feed_forward`, x) : x;
    const up = linear(`${at}/up`, fed, hidden, inner);
    let active = up;
    if (activation === "relu") {
      active = add(`${at}/Relu`, "Relu", [up]);
    } else if (activation === "gated") {
      const gate = linear(`${at}/gate`, fed, hidden, inner);
      active = add(`${at}/gated`, "Mul", [
        add(`${at}/Sigmoid`, "Sigmoid", [gate]),
        add(`${at}/Relu`, "Relu", [up]),
      ]);
    } else {
      const erf = add(`${at}/Erf`, "Erf", [
        add(`${at}/erf_Div`, "Div", [up, scalar(`${at}/sqrt2`, Math.SQRT2)]),
      ]);
      const gate = add(`${at}/erf_Mul`, "Mul", [
        up,
        add(`${at}/erf_Add`, "Add", [erf, scalar(`${at}/unit`, 1)]),
      ]);
      active = add(`${at}/Gelu`, "Mul", [gate, scalar(`${at}/half`, 0.5)]);
    }
    const down = linear(`${at}/down`, active, inner, hidden);
    x = add(`${at}/residual`, "Add", [down, x]);
    x = norm === "post" ? normalise(`${at}/norm`, x) : x;
  }
  const logits = tied
    ? add("output", "MatMul", [x, add("tie", "Transpose", [embeddings], { perm: [1, 0] })])
    : linear("classifier", x, hidden, labels);
  nodes.push(makeNode("Identity", [logits], ["logits"], { name: "logits" }));

  const dims = ["batch", "sequence"];
  const outputs = [makeValueInfo("logits", "float32", [...dims, tied ? vocabulary : labels])];
  if (leak) {
    outputs.push(makeValueInfo("layer.0/joined_out", "float32"));
  }
  const graph = makeGraph("bert", {
    nodes,
    inputs: ["input_ids", "attention_mask"].map((name) => makeValueInfo(name, "int64", dims)),
    outputs,
    initializers,
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

/** Ids and a mask that hides the end of the second sentence. */
export function tinyFeeds(): Record<string, Tensor> {
  const ids = [3, 1, 4, 15, 9, 26, 5, 35, 8, 9, 7, 0];
  return {
    input_ids: int64(ids, [2, 6]),
    attention_mask: int64([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0], [2, 6]),
  };
}

/** Batches of a labelled task whose labels depend on the ids. */
export function tinyBatches(count = 4): Record<string, Tensor>[] {
  return Array.from({ length: count }, (_, batch) => {
    const ids = Array.from({ length: 12 }, (_unused, i) => (i * 7 + batch * 13) % vocabulary);
    return {
      input_ids: int64(ids, [2, 6]),
      attention_mask: int64(
        ids.map(() => 1),
        [2, 6],
      ),
      labels: int64(
        ids.map((id) => id % labels),
        [2, 6],
      ),
    };
  });
}
