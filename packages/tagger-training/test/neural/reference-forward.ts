import { type ModelProto, tensorFromProto } from "@nasty/formats/onnx";
import { type FeatureSettings, makeWordFeatures } from "@nasty/taggers/neural";
import type { Architecture } from "../../src/neural/architecture.js";

type Matrix = number[][];

/** The networks once more in plain loops over float64, sentence by sentence, from the definitions in ONNX 1.22. */
export function referenceScores(
  model: ModelProto,
  architecture: Architecture,
  features: FeatureSettings,
  sentence: readonly string[],
): Matrix {
  const weights = new Map(
    (model.graph?.initializer ?? []).map((proto) => {
      const { data, shape } = tensorFromProto(proto);
      return [proto.name, { data: Array.from(data as Float32Array, Number), shape }];
    }),
  );
  const data = (name: string): number[] => weights.get(name)?.data ?? [];
  const shape = (name: string): readonly number[] => weights.get(name)?.shape ?? [];
  const row = (name: string, index: number): number[] => {
    const width = shape(name)[1] as number;
    return data(name).slice(index * width, (index + 1) * width);
  };
  const norm = (x: number[], name: string): number[] => {
    const mean = x.reduce((a, b) => a + b, 0) / x.length;
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
    return x.map(
      (v, i) =>
        ((v - mean) / Math.sqrt(variance + 1e-5)) * at(data(`${name}.norm.scale`), i) +
        at(data(`${name}.norm.bias`), i),
    );
  };
  const linear = (x: number[], name: string): number[] =>
    data(`${name}.bias`).map((b, j) =>
      x.reduce((s, v, i) => s + v * at(data(`${name}.weight`), i * data(`${name}.bias`).length + j), b),
    );

  const { embedding } = architecture;
  const featuresOf = makeWordFeatures(features);
  const embed = (word: string): number[] => {
    const ids = featuresOf(word);
    const affixes = Array.from({ length: embedding.affix }, (_, i) =>
      [...ids.affixes].reduce((s, id) => s + at(row("embedding.affixes", id), i), 0),
    );
    const letters = [...ids.characters].map((id) => row("embedding.characters", id));
    const characters = (embedding.characters?.filters ?? []).flatMap(({ size, count }) =>
      Array.from({ length: count }, (_, f) => {
        const values = letters.map((_letter, p) => {
          let sum = at(data(`characters.${size}.bias`), f);
          for (let k = 0; k < size; k++) {
            const letter = letters[p + k - ((size - 1) >> 1)] ?? [];
            letter.forEach(
              (v, c) =>
                (sum += v * at(data(`characters.${size}.weight`), (f * letter.length + c) * size + k)),
            );
          }
          return Math.max(0, sum);
        });
        return Math.max(...values);
      }),
    );
    const parts = [row("embedding.words", ids.word), affixes, row("embedding.shapes", ids.shape), characters];
    if (embedding.join === "concat") return parts.flat();
    return norm(
      (parts[0] as number[]).map((_, i) => parts.reduce((s, part) => s + at(part, i), 0)),
      "embedding",
    );
  };

  let x = sentence.map(embed);
  for (let layer = 0; layer < architecture.layers; layer++) {
    if (architecture.kind === "bilstm") {
      const both = [false, true].map((backwards, d) =>
        lstm(backwards ? [...x].reverse() : x, d, `lstm${layer}`),
      );
      const back = [...(both[1] as Matrix)].reverse();
      x = x.map((_, t) => [...((both[0] as Matrix)[t] as number[]), ...(back[t] as number[])]);
    } else {
      const zeros = (x[0] ?? []).map(() => 0);
      x = x.map((own, t) => {
        const window = [...(x[t - 1] ?? zeros), ...own, ...(x[t + 1] ?? zeros)];
        const active = linear(window, `layer${layer}`).map((v) => 0.5 * v * (1 + erf(v / Math.SQRT2)));
        return norm(active, `layer${layer}`).map((v, i) => v + at(own, i));
      });
    }
  }
  return x.map((values) => linear(values, "head.logits"));

  function lstm(steps: Matrix, direction: number, name: string): Matrix {
    const hidden = shape(`${name}.R`)[2] as number;
    const width = steps[0]?.length ?? 0;
    let h = Array<number>(hidden).fill(0);
    let c = Array<number>(hidden).fill(0);
    return steps.map((input) => {
      const gate = (g: number): number[] =>
        Array.from({ length: hidden }, (_, j) => {
          const r = direction * 4 * hidden + g * hidden + j;
          const bias = direction * 8 * hidden + g * hidden + j;
          let sum = at(data(`${name}.B`), bias) + at(data(`${name}.B`), bias + 4 * hidden);
          input.forEach((v, i) => (sum += v * at(data(`${name}.W`), r * width + i)));
          h.forEach((v, i) => (sum += v * at(data(`${name}.R`), r * hidden + i)));
          return sum;
        });
      const [i, o, f] = [0, 1, 2].map((g) => gate(g).map((v) => 1 / (1 + Math.exp(-v)))) as [
        number[],
        number[],
        number[],
      ];
      const g = gate(3).map(Math.tanh);
      c = c.map((old, j) => at(f, j) * old + at(i, j) * at(g, j));
      h = c.map((v, j) => at(o, j) * Math.tanh(v));
      return h;
    });
  }
}

const at = (values: readonly number[], index: number): number => values[index] as number;

/** Series of the error function; exact to double precision for the small arguments here. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
