import { type Dim, divideDims, subtractDims } from "../inference/dims.js";
import type { InferRule, RuleContext, SizeRule } from "../inference/rule.js";
import { dtypeOrUndefined } from "../element-type.js";
import { all, operator, type OperatorSchema } from "./schema.js";
import { constantNodeValue } from "../constant-value.js";

/** The element type that an attribute names by number. */
export const dtypeAttribute = (
  c: RuleContext,
  name: string,
  fallback = 0,
): ReturnType<typeof dtypeOrUndefined> => dtypeOrUndefined(c.int(name, fallback));

const constant: InferRule = (c) => {
  const value = constantNodeValue(c.node);
  return [value && { dtype: value.dtype, shape: value.shape }];
};

const constantOfShape: InferRule = (c) => {
  const rank = c.shape(0)?.[0];
  const shape: readonly Dim[] | undefined =
    c.sizes(0)?.elements ??
    (typeof rank === "number" ? Array.from({ length: rank }, () => undefined) : undefined);
  const given = c.node.attribute.some(({ name }) => name === "value");
  return [{ dtype: given ? c.tensor("value")?.dtype : "float32", shape }];
};

const constantOfShapeSizes: SizeRule = (c) => {
  const wanted = c.sizes(0)?.elements;
  const value = c.tensor("value");
  const length = wanted?.[0];
  if (wanted?.length !== 1 || typeof length !== "number" || length > 64 || value?.dtype !== "int64")
    return undefined;
  return { scalar: false, elements: Array.from({ length }, () => Number(value.data[0])) };
};

const rangeLength = (c: RuleContext): Dim => {
  const [start, limit, delta] = [0, 1, 2].map((index) => {
    const data = c.constant(index)?.data;
    return data?.length === 1 ? Number(data[0]) : c.sizes(index)?.elements[0];
  });
  if (typeof start === "number" && typeof limit === "number" && typeof delta === "number") {
    return delta === 0 ? undefined : Math.max(0, Math.ceil((limit - start) / delta));
  }
  return divideDims(subtractDims(limit, start), delta);
};

const like: InferRule = (c) => [{ dtype: dtypeAttribute(c, "dtype") ?? c.dtype(0), shape: c.shape(0) }];

const random: InferRule = (c) => [{ dtype: dtypeAttribute(c, "dtype", 1), shape: c.ints("shape") }];

const window: InferRule = (c) => [
  { dtype: dtypeAttribute(c, "output_datatype", 1), shape: [c.sizes(0)?.elements[0]] },
];

/** Operators that make values or change their element type. */
export const generation: Readonly<Record<string, OperatorSchema>> = {
  Constant: operator(0, 1, constant),
  ConstantOfShape: operator(1, 1, constantOfShape, { sizes: constantOfShapeSizes }),
  Range: operator(3, 1, (c) => [{ dtype: c.dtype(0) ?? c.dtype(1), shape: [rangeLength(c)] }], {
    sizes: (c) => {
      const length = rangeLength(c);
      const start = c.sizes(0)?.elements[0];
      const delta = c.sizes(2)?.elements[0];
      if (typeof length !== "number" || length > 64 || typeof start !== "number" || typeof delta !== "number")
        return undefined;
      return { scalar: false, elements: Array.from({ length }, (_, index) => start + index * delta) };
    },
  }),
  Cast: operator(1, 1, (c) => [{ dtype: dtypeAttribute(c, "to"), shape: c.shape(0) }], {
    // A float with a fraction is no size: only what was an integer stays one.
    sizes: (c) => (c.dtype(0)?.includes("int") === true || c.dtype(0) === "bool" ? c.sizes(0) : undefined),
  }),
  CastLike: operator(2, 1, (c) => [{ dtype: c.dtype(1), shape: c.shape(0) }]),
  BitCast: operator(1, 1, (c) => [{ dtype: dtypeAttribute(c, "to"), shape: c.shape(0) }]),
  EyeLike: operator(1, 1, like),
  ...all("RandomNormalLike RandomUniformLike", operator(1, 1, like)),
  Bernoulli: operator(1, 1, like),
  Multinomial: operator(1, 1, (c) => [
    { dtype: dtypeAttribute(c, "dtype", 6), shape: [c.shape(0)?.[0], c.int("sample_size", 1)] },
  ]),
  ...all("RandomNormal RandomUniform", operator(0, 1, random)),
  ...all("HannWindow HammingWindow BlackmanWindow", operator(1, 1, window)),
};
