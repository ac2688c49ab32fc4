import { tensor, type Tensor } from "@nasty/core";
import { tensorToProto, type ModelProto } from "@nasty/formats/onnx";
import { float, matrix, model, node, noise } from "./tiny-models.js";

/** Layers of the model that {@link outlierModel} makes. */
export const layers = 6;

/**
 * Six residual layers x + W·LayerNorm(x); the normalization in front of layer 3 has two channels a hundred times larger
 * than the rest, whose weights are a hundred times smaller: one scale for all activations leaves the others nothing.
 */
export function outlierModel(): ModelProto {
  const nodes = [];
  const initializers = [];
  let x = "x";
  for (let layer = 0; layer < layers; layer++) {
    const gain = new Float32Array(16).fill(1);
    const weight = noise(16 * 16, layer + 1, 0.3);
    if (layer === 3) {
      for (const channel of [2, 11]) {
        gain[channel] = 100;
        for (let n = 0; n < 16; n++) weight[channel * 16 + n] = (weight[channel * 16 + n] as number) / 100;
      }
    }
    initializers.push(
      tensorToProto(tensor("float32", [16], gain), `g${layer}`),
      tensorToProto(tensor("float32", [16], noise(16, layer + 20, 0.1)), `z${layer}`),
      tensorToProto(tensor("float32", [16, 16], weight), `W${layer}`),
      matrix(`b${layer}`, [16], layer + 40),
    );
    const output = layer === layers - 1 ? "y" : `x${layer}`;
    nodes.push(
      node("LayerNormalization", [x, `g${layer}`, `z${layer}`], [`n${layer}`], {
        name: `norm${layer}`,
        attributes: { axis: -1n },
      }),
      node("MatMul", [`n${layer}`, `W${layer}`], [`p${layer}`], { name: `dense${layer}` }),
      node("Add", [`p${layer}`, `b${layer}`], [`a${layer}`], { name: `bias${layer}` }),
      node("Add", [x, `a${layer}`], [output], { name: `residual${layer}` }),
    );
    x = output;
  }
  return model({ nodes, initializers });
}

/** Batches of the input x; `seed` makes other ones. */
export function batches(seed = 5, count = 4): { readonly feeds: { readonly x: Tensor<"float32"> } }[] {
  return Array.from({ length: count }, (_, index) => ({ feeds: { x: float([1, 12, 16], seed + index) } }));
}
