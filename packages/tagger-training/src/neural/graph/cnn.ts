import { embeddingsValue } from "@nasty/taggers/neural";
import { type CnnArchitecture, embeddingWidth } from "../architecture.js";
import type { Context } from "./bilstm.js";
import { addCorpora } from "./corpora.js";
import type { LayerWriter } from "./layer-writer.js";

/**
 * Word vectors looked up by `word_index` [B, T], and residual layers over windows of three words.
 *
 * `mask` [B, T] is 1 at words and 0 elsewhere; values at masked places are 0 at the entrance of every layer, so one
 * masked place separates two sentences in a row as the end of the row would.
 */
export function writeCnn(writer: LayerWriter, architecture: CnnArchitecture, corpora?: number): Context {
  const { layers, embeddingDropout, layerDropout } = architecture;
  const width = embeddingWidth(architecture.embedding);
  const vectors = writer.named("words/vectors", "Gather", [embeddingsValue, "word_index"]);
  const gathered = addCorpora(writer, vectors, "words", { corpora, width, lengthFirst: false });
  const mask = writer.named("words/mask", "Unsqueeze", ["mask", writer.ints("axis.2", [2])]);
  const dropped = writer.dropout(gathered, "dropout/embedding", embeddingDropout);
  let x = writer.named("words/masked", "Mul", [dropped, mask]);
  for (let layer = 0; layer < layers; layer++) {
    const name = `layer${layer}`;
    const padded = writer.named(`${name}/padded`, "Pad", [x, writer.ints("pads.words", [0, 1, 0, 0, 1, 0])]);
    const before = slice(writer, padded, `${name}/before`, 0, -2);
    const after = slice(writer, padded, `${name}/after`, 2, 2 ** 31 - 1);
    const window = writer.named(`${name}/window`, "Concat", [before, x, after], { axis: 2 });
    const sum = writer.linear(window, name, { inputs: 3 * width, outputs: width });
    const active = writer.named(`${name}/active`, "Gelu", [sum]);
    const scale = writer.weight(`${name}.norm.scale`, [width], { value: 1 });
    const bias = writer.weight(`${name}.norm.bias`, [width], { value: 0 });
    const normal = writer.named(`${name}/normal`, "LayerNormalization", [active, scale, bias], { axis: -1 });
    const kept = writer.named(`${name}/masked`, "Mul", [
      writer.dropout(normal, `dropout/${name}`, layerDropout),
      mask,
    ]);
    x = writer.named(`${name}/output`, "Add", [x, kept]);
  }
  return { value: x, width, lengthFirst: false };
}

/** Positions from `start` to `end` along the words. */
function slice(writer: LayerWriter, x: string, output: string, start: number, end: number): string {
  const inputs = [
    x,
    writer.ints(`slice.${start}`, [start]),
    writer.ints(`slice.${end}`, [end]),
    writer.ints("axis.1", [1]),
  ];
  return writer.named(output, "Slice", inputs);
}
