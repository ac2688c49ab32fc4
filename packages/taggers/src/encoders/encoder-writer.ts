import type { Tensor } from "@nasty/core";
import {
  type AttributeValue,
  makeNode,
  makeTensor,
  type NodeProto,
  type TensorProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import type { EncoderConfig } from "./encoder-config.js";

/** Collects the nodes and initializers of an encoder; every node is named after its output. */
export interface EncoderWriter {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
  op(
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): string;
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
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const constants = new Set<string>();
  const constant = (name: string, make: (name: string) => TensorProto): string => {
    if (!constants.has(name)) initializers.push(make(name));
    constants.add(name);
    return name;
  };
  const writer: EncoderWriter = {
    nodes,
    initializers,
    op(opType, inputs, output, attributes) {
      nodes.push(makeNode(opType, inputs, [output], { name: output, ...(attributes && { attributes }) }));
      return output;
    },
    weight(name, value) {
      initializers.push(tensorToProto(value, name));
      return name;
    },
    ints(values) {
      const scalar = typeof values === "number";
      const list = scalar ? [values] : values;
      const name = `constant/${scalar ? "" : "vector_"}${list.join("_").replaceAll("-", "minus")}`;
      return constant(name, (n) => makeTensor(n, "int64", { values: list, ...(scalar && { shape: [] }) }));
    },
    float: (value) =>
      constant(`constant/float_${value}`, (n) => makeTensor(n, "float32", { values: [value], shape: [] })),
    dropout: (x, ratio, output) => (ratio === 0 ? x : writer.op("Dropout", [x, writer.float(ratio)], output)),
  };
  return writer;
}
