import type { Dim } from "../inference/dims.js";
import { multiplyDims } from "../inference/dims.js";
import type { InferRule, RuleContext } from "../inference/rule.js";
import { all, operator, type OperatorSchema } from "./schema.js";
import { axisOf, sameAs } from "./shape-rules.js";

/** Mean and inverse deviation keep the axes before `axis`, the rest are 1. */
const statistics = (c: RuleContext): readonly Dim[] | undefined => {
  const shape = c.shape(0);
  const axis = shape === undefined ? undefined : axisOf(c.int("axis", -1), shape.length);
  return axis === undefined ? undefined : shape?.map((dim, position) => (position < axis ? dim : 1));
};

const layerNormalization: InferRule = (c) => [
  { dtype: c.dtype(0), shape: c.shape(0) },
  { dtype: "float32", shape: statistics(c) },
  { dtype: "float32", shape: statistics(c) },
];

const batchNormalization: InferRule = (c) => [
  { dtype: c.dtype(0), shape: c.shape(0) },
  ...Array.from({ length: 4 }, () => ({ dtype: c.dtype(1), shape: [c.shape(0)?.[1]] })),
];

const skipNormalization: InferRule = (c) => {
  const same = { dtype: c.dtype(0), shape: c.shape(0) };
  return [same, { dtype: "float32" }, { dtype: "float32" }, same];
};

const embedLayerNormalization: InferRule = (c) => {
  const ids = c.shape(0);
  const shape = ids && [...ids, c.shape(2)?.[1]];
  return [
    { dtype: c.dtype(2), shape },
    { dtype: "int32", shape: [ids?.[0]] },
    { dtype: c.dtype(2), shape },
  ];
};

/** Fused attention over packed Q, K, V: the output has the width of V. */
const fusedAttention: InferRule = (c) => {
  const input = c.shape(0);
  const packed = c.shape(1)?.[1];
  const width = typeof packed === "number" && packed % 3 === 0 ? packed / 3 : input?.[2];
  return [{ dtype: c.dtype(0), shape: input && [input[0], input[1], width] }];
};

const multiHeadAttention: InferRule = (c) => {
  const query = c.shape(0);
  const value = c.shape(2);
  if (query?.length !== 3) return [{ dtype: c.dtype(0) }];
  return [{ dtype: c.dtype(0), shape: [query[0], query[1], value?.length === 3 ? value[2] : query[2]] }];
};

/** ONNX Attention (operator set 23): 3-dimensional inputs carry the heads in the last axis. */
const attention: InferRule = (c) => {
  const query = c.shape(0);
  const value = c.shape(2);
  const dtype = c.dtype(0);
  if (query === undefined || value === undefined) return [{ dtype }];
  if (query.length === 4) return [{ dtype, shape: [...query.slice(0, 3), value[3]] }];
  const heads = c.int("q_num_heads");
  const groups = c.int("kv_num_heads");
  const width = value[2];
  const last =
    typeof width === "number" && heads !== undefined && groups !== undefined
      ? multiplyDims(width / groups, heads)
      : query[2];
  return [{ dtype, shape: [query[0], query[1], last] }];
};

/** Normalization, and the layers that runtimes fuse around it. */
export const normalization: Readonly<Record<string, OperatorSchema>> = {
  LayerNormalization: operator([2, 3], [1, 3], layerNormalization),
  // ONNX Runtime registers this one under ONNX's own domain.
  SimplifiedLayerNormalization: operator(2, [1, 2], layerNormalization),
  RMSNormalization: operator(2, 1, sameAs()),
  BatchNormalization: operator(5, [1, 5], batchNormalization),
  InstanceNormalization: operator(3, 1, sameAs()),
  GroupNormalization: operator(3, 1, sameAs()),
  RotaryEmbedding: operator([3, 4], 1, sameAs()),
  Attention: operator([3, 7], [1, 4], attention),
};

export const microsoftNormalization: Readonly<Record<string, OperatorSchema>> = {
  ...all("SkipLayerNormalization", operator([3, 5], [1, 4], skipNormalization)),
  SkipSimplifiedLayerNormalization: operator([3, 4], [1, 4], skipNormalization),
  EmbedLayerNormalization: operator([7, 9], [2, 3], embedLayerNormalization),
  Attention: operator([2, 7], [1, 2], fusedAttention),
  QAttention: operator(
    [5, 9],
    [1, 2],
    (c) => {
      const width = c.shape(1)?.[1];
      const input = c.shape(0);
      return [
        {
          dtype: c.dtype(3),
          shape: input && [input[0], input[1], typeof width === "number" ? width / 3 : undefined],
        },
      ];
    },
    { quantization: [3, 4, 6, 7] },
  ),
  MultiHeadAttention: operator([1, 10], [1, 4], multiHeadAttention),
  RotaryEmbedding: operator([3, 4], 1, sameAs()),
  ...all("Gelu QuickGelu", operator(1, 1, sameAs())),
  ...all("FastGelu", operator([1, 2], 1, sameAs())),
  ...all("BiasGelu BiasSoftmax", operator(2, 1, sameAs())),
};
