import { intAttribute } from "@nasty/formats/onnx";
import type { RowDimensions } from "../gradient-writer.js";
import type { GradientContext, GradientRule } from "../rule.js";

/**
 * y = x̂·γ + β with x̂ = (x − mean)·r, r = 1/√(variance + ε), over the last dimensions:
 * dx = r·(dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂)) with dx̂ = dy·γ; dγ = Σ dy·x̂; dβ = Σ dy.
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
  const width = c.dimensions(gamma)?.[0];
  if (first === rank - 1 && first > 0 && typeof width === "number") return overLastDimension(c, width);
  const normal = op("Mul", [op("Sub", [x, c.output(1)]), c.output(2)]);
  const product = op("Mul", [dy, normal]);
  const leading = writer.ints(Array.from({ length: first }, (_, i) => i));
  const sumRows = (name: string): string =>
    first === 0 ? name : op("ReduceSum", [name, leading], { keepdims: 0 });

  const dx = (): string => {
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

/**
 * The same over one dimension of length n, with fewer passes over the data: of x̂ only x − mean is made, r goes to the
 * sums. Both means are products with the vector γ/n, dγ is one with r as the vector.
 */
function overLastDimension(c: GradientContext, width: number): readonly (string | undefined)[] {
  const { writer } = c;
  const { op } = writer;
  const [x, gamma, r] = [c.input(0), c.input(1), c.output(2)];
  const dy = c.gradientOrZeros(0);
  const rows: RowDimensions = [...(c.dimensions(x) ?? []).slice(0, -1), width];
  const centred = op("Sub", [x, c.output(1)]);
  const product = op("Mul", [dy, centred]);
  const dx = (): string => {
    const column = op("Reshape", [op("Mul", [gamma, writer.scalar(1 / width)]), writer.ints([width, 1])]);
    const slope = op("Mul", [op("MatMul", [product, column]), op("Mul", [r, r])]);
    const rest = op("Sub", [op("Mul", [dy, gamma]), op("MatMul", [dy, column])]);
    return op("Mul", [op("Sub", [rest, op("Mul", [centred, slope])]), r]);
  };
  return [
    c.needs(0) ? dx() : undefined,
    c.needs(1) ? writer.sumRows(product, rows, { weights: r }) : undefined,
    c.needs(2) ? writer.sumRows(dy, rows) : undefined,
  ];
}

export const normalisationRules: Readonly<Record<string, GradientRule>> = {
  LayerNormalization: layerNormalization,
};
