import type { EncoderPart } from "./encoder-writer.js";

export interface LayerInput {
  readonly index: number;
  /** [batch, sequence, hidden]. */
  readonly hidden: string;
  /** Added to the attention scores: [batch, 1, 1, sequence]. */
  readonly mask: string;
}

/**
 * One layer: h = norm(x + attention(x)), y = norm(h + W₂·act(W₁·h)).
 *
 * @returns name of the output [batch, sequence, hidden]
 */
export function writeLayer(part: EncoderPart, { index, hidden: x, mask }: LayerInput): string {
  const { writer, settings } = part;
  const { named } = writer;
  const { layer, layers } = settings.family;
  const at = (name: string): string => `layer.${index}/${name}`;
  const weight = (name: string): string => `${part.prefix}${layers}${index}.${name}`;
  const linear = (input: string, name: string, output: string): string => {
    const product = named(at(`${output}_product`), "MatMul", [input, `${weight(name)}.weight`]);
    return named(at(output), "Add", [product, `${weight(name)}.bias`]);
  };
  const normalized = (residual: string, name: string, output: string): string =>
    named(at(output), "LayerNormalization", [residual, `${weight(name)}.weight`, `${weight(name)}.bias`], {
      axis: -1,
      epsilon: { kind: "float", value: settings.epsilon },
    });

  const size = settings.hidden / settings.heads;
  const split = writer.ints([0, 0, settings.heads, size]);
  const heads = (input: string, output: string, perm: readonly number[]): string =>
    named(at(output), "Transpose", [named(at(`${output}_split`), "Reshape", [input, split])], { perm });
  const query = heads(linear(x, layer.query, "query"), "query_heads", [0, 2, 1, 3]);
  const key = heads(linear(x, layer.key, "key"), "key_heads", [0, 2, 3, 1]);
  const value = heads(linear(x, layer.value, "value"), "value_heads", [0, 2, 1, 3]);
  const products = named(at("products"), "MatMul", [query, key]);
  const scores = named(at("scores"), "Div", [products, writer.float(Math.sqrt(size))]);
  const masked = named(at("masked"), "Add", [scores, mask]);
  const shares = named(at("shares"), "Softmax", [masked], { axis: -1 });
  const keptShares = writer.dropout(shares, settings.attentionDropout, at("shares_dropout"));
  const mixed = named(at("mixed"), "MatMul", [keptShares, value]);
  const turned = named(at("turned"), "Transpose", [mixed], { perm: [0, 2, 1, 3] });
  const joined = named(at("joined"), "Reshape", [turned, writer.ints([0, 0, settings.hidden])]);
  const attention = writer.dropout(
    linear(joined, layer.attentionOutput, "attention"),
    settings.dropout,
    at("attention_dropout"),
  );
  const h = normalized(
    named(at("attention_sum"), "Add", [attention, x]),
    layer.attentionNorm,
    "attention_normal",
  );

  const inner = linear(h, layer.intermediate, "inner");
  const active =
    settings.activation === "relu"
      ? named(at("active"), "Relu", [inner])
      : named(at("active"), "Gelu", [inner], {
          approximate: settings.activation === "gelu_tanh" ? "tanh" : "none",
        });
  const outer = writer.dropout(linear(active, layer.output, "outer"), settings.dropout, at("outer_dropout"));
  return normalized(named(at("outer_sum"), "Add", [outer, h]), layer.outputNorm, "normal");
}
