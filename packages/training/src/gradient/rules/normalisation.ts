import { intAttribute } from "@nasty/formats/onnx";
import type { GradientRule } from "../rule.js";

/**
 * y = x̂·γ + β with x̂ = (x − mean)·r, r = 1/√(variance + ε), over the last dimensions:
 * dx = r·(dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂)) with dx̂ = dy·γ; dγ = Σ dy·x̂; dβ = Σ dy.
 *
 * Over one dimension of length n both means are products with the vector γ/n, which spares passes over the data.
 *
 * Source: J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer Normalization" (2016), equation 4.
 */
const layerNormalization: GradientRule = (c) => {
  const { writer, node } = c;
  const { op } = writer;
  const [x, gamma] = [c.input(0), c.input(1)];
  const rank = c.rank(x);
  const axis = intAttribute(node, "axis", -1);
  const first = axis < 0 ? axis + rank : axis;
  const dy = c.gradientOrZeros(0);
  const normal = op("Mul", [op("Sub", [x, c.output(1)]), c.output(2)]);
  const product = op("Mul", [dy, normal]);
  const leading = writer.ints(Array.from({ length: first }, (_, i) => i));
  const sumRows = (name: string): string =>
    first === 0 ? name : op("ReduceSum", [name, leading], { keepdims: 0 });

  const dx = (): string => {
    const width = c.dimensions(gamma)?.[0];
    if (first !== rank - 1 || typeof width !== "number") return slowDx();
    const column = op("Reshape", [op("Mul", [gamma, writer.scalar(1 / width)]), writer.ints([width, 1])]);
    const mean = op("MatMul", [dy, column]);
    const slope = op("MatMul", [product, column]);
    const centred = op("Sub", [op("Mul", [dy, gamma]), mean]);
    return op("Mul", [op("Sub", [centred, op("Mul", [normal, slope])]), c.output(2)]);
  };
  const slowDx = (): string => {
    const axes = writer.ints(Array.from({ length: rank - first }, (_, i) => first + i));
    const mean = (name: string): string => op("ReduceMean", [name, axes], { keepdims: 1 });
    const centred = op("Sub", [op("Mul", [dy, gamma]), mean(op("Mul", [dy, gamma]))]);
    return op("Mul", [
      op("Sub", [centred, op("Mul", [normal, mean(op("Mul", [product, gamma]))])]),
      c.output(2),
    ]);
  };
  return [
    c.needs(0) ? dx() : undefined,
    c.needs(1) ? sumRows(product) : undefined,
    c.needs(2) ? sumRows(dy) : undefined,
  ];
};

export const normalisationRules: Readonly<Record<string, GradientRule>> = {
  LayerNormalization: layerNormalization,
};
