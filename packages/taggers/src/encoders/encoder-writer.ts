import type { Tensor } from "@nasty/core";
import { type Graph, type GraphWriter, graphWriter } from "@nasty/graph";
import type { EncoderConfig } from "./encoder-config.js";

/** Writes the graph of an encoder; constants are named after their values and shared. */
export interface EncoderWriter extends GraphWriter {
  weight(name: string, value: Tensor): string;
  /** An int64 vector, or a scalar if one number is given. */
  ints(values: number | readonly number[]): string;
  /** A float32 scalar. */
  float(value: number): string;
  /** A Dropout node that does nothing until training switches it on; none if `ratio` is 0. */
  dropout(x: string, ratio: number, output: string): string;
}

/** What the functions that write a part of the graph share. */
export interface EncoderPart {
  readonly writer: EncoderWriter;
  readonly settings: EncoderConfig;
  readonly prefix: string;
}

export function encoderWriter(graph: Graph): EncoderWriter {
  const writer = graphWriter(graph);
  const { constant, named } = writer;
  const float = (value: number): string => constant("float32", [], [value], `constant/float_${value}`);
  return {
    ...writer,
    float,
    weight: (name, value) => writer.initializer(name, () => value),
    ints(values) {
      const scalar = typeof values === "number";
      const list = scalar ? [values] : values;
      const name = `constant/${scalar ? "" : "vector_"}${list.join("_").replaceAll("-", "minus")}`;
      return constant("int64", scalar ? [] : [list.length], list, name);
    },
    dropout: (x, ratio, output) => (ratio === 0 ? x : named(output, "Dropout", [x, float(ratio)])),
  };
}
