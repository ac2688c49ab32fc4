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
  const { op } = writer;
  const { layer, layers } = settings.family;
  const at = (name: string): string => `layer.${index}/${name}`;
  const weight = (name: string): string => `${part.prefix}${layers}${index}.${name}`;
  const linear = (input: string, name: string, output: string): string => {
    const product = op("MatMul", [input, `${weight(name)}.weight`], at(`${output}_product`));
    return op("Add", [product, `${weight(name)}.bias`], at(output));
  };
  const normalized = (residual: string, name: string, output: string): string =>
    op("LayerNormalization", [residual, `${weight(name)}.weight`, `${weight(name)}.bias`], at(output), {
      axis: -1,
      epsilon: { kind: "float", value: settings.epsilon },
    });

  const size = settings.hidden / settings.heads;
  const split = writer.ints([0, 0, settings.heads, size]);
  const heads = (input: string, output: string, perm: readonly number[]): string =>
    op("Transpose", [op("Reshape", [input, split], at(`${output}_split`))], at(output), { perm });
  const query = heads(linear(x, layer.query, "query"), "query_heads", [0, 2, 1, 3]);
  const key = heads(linear(x, layer.key, "key"), "key_heads", [0, 2, 3, 1]);
  const value = heads(linear(x, layer.value, "value"), "value_heads", [0, 2, 1, 3]);
  const products = op("MatMul", [query, key], at("products"));
  const scores = op("Div", [products, writer.float(Math.sqrt(size))], at("scores"));
  const masked = op("Add", [scores, mask], at("masked"));
  const shares = op("Softmax", [masked], at("shares"), { axis: -1 });
  const keptShares = writer.dropout(shares, settings.attentionDropout, at("shares_dropout"));
  const mixed = op("MatMul", [keptShares, value], at("mixed"));
  const turned = op("Transpose", [mixed], at("turned"), { perm: [0, 2, 1, 3] });
  const joined = op("Reshape", [turned, writer.ints([0, 0, settings.hidden])], at("joined"));
  const attention = writer.dropout(
    linear(joined, layer.attentionOutput, "attention"),
    settings.dropout,
    at("attention_dropout"),
  );
  const h = normalized(
    op("Add", [attention, x], at("attention_sum")),
    layer.attentionNorm,
    "attention_normal",
  );

  const inner = linear(h, layer.intermediate, "inner");
  const active =
    settings.activation === "relu"
      ? op("Relu", [inner], at("active"))
      : op("Gelu", [inner], at("active"), {
          approximate: settings.activation === "gelu_tanh" ? "tanh" : "none",
        });
  const outer = writer.dropout(linear(active, layer.output, "outer"), settings.dropout, at("outer_dropout"));
  return normalized(op("Add", [outer, h], at("outer_sum")), layer.outputNorm, "normal");
}
