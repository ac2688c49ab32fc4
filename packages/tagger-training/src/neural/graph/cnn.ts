import { embeddingsValue } from "@nasty/taggers/neural";
import { type CnnArchitecture, embeddingWidth } from "../architecture.js";
import type { Context } from "./bilstm.js";
import type { LayerWriter } from "./layer-writer.js";

/**
 * Word vectors looked up by `word_index` [B, T], and residual layers over windows of three words.
 *
 * `mask` [B, T] is 1 at words and 0 elsewhere; values at masked places are 0 at the entrance of every layer, so one masked place
 * separates two sentences in a row as the end of the row would.
 */
export function writeCnn(writer: LayerWriter, architecture: CnnArchitecture): Context {
  const { layers, embeddingDropout, layerDropout } = architecture;
  const width = embeddingWidth(architecture.embedding);
  const gathered = writer.op("Gather", [embeddingsValue, "word_index"], "words/vectors");
  const mask = writer.op("Unsqueeze", ["mask", writer.ints("axis.2", [2])], "words/mask");
  const dropped = writer.dropout(gathered, "dropout/embedding", embeddingDropout);
  let x = writer.op("Mul", [dropped, mask], "words/masked");
  for (let layer = 0; layer < layers; layer++) {
    const name = `layer${layer}`;
    const padded = writer.op("Pad", [x, writer.ints("pads.words", [0, 1, 0, 0, 1, 0])], `${name}/padded`);
    const before = slice(writer, padded, `${name}/before`, 0, -2);
    const after = slice(writer, padded, `${name}/after`, 2, 2 ** 31 - 1);
    const window = writer.op("Concat", [before, x, after], `${name}/window`, { axis: 2 });
    const sum = writer.linear(window, name, { inputs: 3 * width, outputs: width });
    const active = writer.op("Gelu", [sum], `${name}/active`);
    const scale = writer.weight(`${name}.norm.scale`, [width], { value: 1 });
    const bias = writer.weight(`${name}.norm.bias`, [width], { value: 0 });
    const normal = writer.op("LayerNormalization", [active, scale, bias], `${name}/normal`, { axis: -1 });
    const kept = writer.op(
      "Mul",
      [writer.dropout(normal, `dropout/${name}`, layerDropout), mask],
      `${name}/masked`,
    );
    x = writer.op("Add", [x, kept], `${name}/output`);
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
  return writer.op("Slice", inputs, output);
}
