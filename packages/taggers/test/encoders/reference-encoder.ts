import type { Tensor } from "@nasty/core";

/** What a reference run is given: one sentence, its padding at the end. */
export interface ReferenceInput {
  readonly ids: readonly number[];
  readonly types: readonly number[];
  /** Ids before the padding. */
  readonly length: number;
}

type Config = Readonly<Record<string, unknown>>;
type Matrix = number[][];

const erf = (x: number): number => {
  // Its Taylor series: exact enough below 6, where the function is 1 to the last bit.
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
};

const activations: Readonly<Record<string, (x: number) => number>> = {
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  gelu_new: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(0, x),
};

/**
 * The logits of one sentence, computed word by word in double precision from the papers' formulas: [positions][labels].
 */
export function referenceLogits(
  config: Config,
  tensors: ReadonlyMap<string, Tensor>,
  { ids, types, length }: ReferenceInput,
): Matrix {
  const family = config["model_type"] as string;
  const distilled = family === "distilbert";
  const number = (key: string, other: string): number => config[distilled ? other : key] as number;
  const heads = number("num_attention_heads", "n_heads");
  const epsilon = (config["layer_norm_eps"] as number | undefined) ?? 1e-12;
  const activation = activations[(distilled ? config["activation"] : config["hidden_act"]) as string] as (
    x: number,
  ) => number;
  const get = (name: string): Tensor => {
    const found = tensors.get(name) ?? tensors.get(`${family}.${name}`);
    if (found === undefined) throw new Error(`no ${name}`);
    return found;
  };
  const row = (name: string, index: number): number[] => {
    const { data, shape } = get(name);
    const width = shape[1] as number;
    return Array.from(data.slice(index * width, (index + 1) * width) as Float32Array);
  };
  const linear = (x: Matrix, name: string): Matrix => {
    const weight = get(`${name}.weight`);
    const bias = get(`${name}.bias`).data as Float32Array;
    const inputs = weight.shape[1] as number;
    return x.map((v) =>
      Array.from(bias, (b, o) =>
        v.reduce((sum, value, i) => sum + value * Number(weight.data[o * inputs + i]), b),
      ),
    );
  };
  const norm = (x: Matrix, name: string): Matrix => {
    const gamma = get(`${name}.weight`).data as Float32Array;
    const beta = get(`${name}.bias`).data as Float32Array;
    return x.map((v) => {
      const mean = v.reduce((a, b) => a + b, 0) / v.length;
      const variance = v.reduce((a, b) => a + (b - mean) ** 2, 0) / v.length;
      return v.map(
        (value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * Number(gamma[i]) + Number(beta[i]),
      );
    });
  };
  const add = (a: Matrix, b: Matrix): Matrix =>
    a.map((v, i) => v.map((value, j) => value + (b[i]?.[j] as number)));

  const padId = config["pad_token_id"] as number;
  let x: Matrix = ids.map((id, at) => {
    const position = family === "roberta" ? (at < length ? at + padId + 1 : padId) : at;
    const parts = [
      row("embeddings.word_embeddings.weight", id),
      row("embeddings.position_embeddings.weight", position),
    ];
    if (!distilled)
      parts.push(
        row("embeddings.token_type_embeddings.weight", family === "roberta" ? 0 : (types[at] as number)),
      );
    return (parts[0] as number[]).map((_, i) => parts.reduce((sum, part) => sum + (part[i] as number), 0));
  });
  x = norm(x, "embeddings.LayerNorm");
  if (family === "electra") x = linear(x, "embeddings_project");

  for (let i = 0; i < number("num_hidden_layers", "n_layers"); i++) {
    const at = distilled ? `transformer.layer.${i}` : `encoder.layer.${i}`;
    const name = (own: string, distilledName: string): string => `${at}.${distilled ? distilledName : own}`;
    const q = linear(x, name("attention.self.query", "attention.q_lin"));
    const k = linear(x, name("attention.self.key", "attention.k_lin"));
    const v = linear(x, name("attention.self.value", "attention.v_lin"));
    const size = (q[0] as number[]).length / heads;
    const mixed = q.map((query) =>
      query.map((_, channel) => {
        const first = Math.floor(channel / size) * size;
        const scores = k.slice(0, length).map((key) => {
          let product = 0;
          for (let c = first; c < first + size; c++) product += (query[c] as number) * (key[c] as number);
          return Math.exp(product / Math.sqrt(size));
        });
        const total = scores.reduce((a, b) => a + b, 0);
        return scores.reduce((sum, score, j) => sum + (score / total) * (v[j]?.[channel] as number), 0);
      }),
    );
    const attention = linear(mixed, name("attention.output.dense", "attention.out_lin"));
    const h = norm(add(attention, x), name("attention.output.LayerNorm", "sa_layer_norm"));
    const inner = linear(h, name("intermediate.dense", "ffn.lin1")).map((values) => values.map(activation));
    x = norm(
      add(linear(inner, name("output.dense", "ffn.lin2")), h),
      name("output.LayerNorm", "output_layer_norm"),
    );
  }
  return linear(x, "classifier");
}
