import type { Tensor } from "@nasty/core";
import { makeTensor, tensorToProto } from "@nasty/formats/onnx";
import { type GraphWriter, makeGraphWriter } from "../graphs/graph-writer.js";
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

export function makeEncoderWriter(): EncoderWriter {
  const graph = makeGraphWriter();
  const float = (value: number): string =>
    graph.once(`constant/float_${value}`, (name) =>
      makeTensor(name, "float32", { values: [value], shape: [] }),
    );
  return {
    ...graph,
    float,
    weight: (name, value) => graph.add(tensorToProto(value, name)),
    ints(values) {
      const scalar = typeof values === "number";
      const list = scalar ? [values] : values;
      const name = `constant/${scalar ? "" : "vector_"}${list.join("_").replaceAll("-", "minus")}`;
      return graph.once(name, (n) => makeTensor(n, "int64", { values: list, ...(scalar && { shape: [] }) }));
    },
    dropout: (x, ratio, output) => (ratio === 0 ? x : graph.op("Dropout", [x, float(ratio)], output)),
  };
}
