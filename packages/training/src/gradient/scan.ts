import { makeGraph, makeNode, makeValueInfo, type NodeProto } from "@nasty/formats/onnx";
import { type Attributes, type GraphWriter } from "./graph-writer.js";

/** Adds nodes to the body of a Scan; names from outside may be read too. */
export interface BodyWriter {
  op(opType: string, inputs: readonly string[], attributes?: Attributes): string;
  ops(opType: string, inputs: readonly string[], count: number, attributes?: Attributes): string[];
}

export interface ScanFields {
  /** Initial values of what is carried from step to step. */
  readonly states: readonly string[];
  /** Tensors whose first dimension is walked along. */
  readonly sequences: readonly string[];
  /** True walks from the last element to the first; outputs keep the places of their inputs. */
  readonly backwards?: boolean;
  /** The step: from states and elements to next states and elements of the outputs. */
  readonly step: (
    body: BodyWriter,
    values: { readonly states: readonly string[]; readonly elements: readonly string[] },
  ) => { readonly states: readonly string[]; readonly outputs: readonly string[] };
}

/** A loop over the first dimension of float32 tensors; returns the final states and the stacked outputs. */
export function scan(writer: GraphWriter, fields: ScanFields): { states: string[]; outputs: string[] } {
  const nodes: NodeProto[] = [];
  const ops: BodyWriter["ops"] = (opType, inputs, count, attributes = {}) => {
    const outputs = Array.from({ length: count }, () => writer.unique(opType));
    nodes.push(makeNode(opType, inputs, outputs, { name: outputs[0] as string, attributes }));
    return outputs;
  };
  const op: BodyWriter["op"] = (opType, inputs, attributes) =>
    ops(opType, inputs, 1, attributes)[0] as string;
  const states = fields.states.map(() => writer.unique("state"));
  const elements = fields.sequences.map(() => writer.unique("element"));
  const result = fields.step({ op, ops }, { states, elements });
  // A value may leave the body once: states that are outputs too, or unchanged inputs, go through Identity.
  const taken = new Set<string>([...states, ...elements]);
  const leave = (name: string): string => {
    const fresh = !taken.has(name);
    taken.add(name);
    return fresh ? name : op("Identity", [name]);
  };
  const outputs = [...result.states, ...result.outputs].map(leave);
  const info = (name: string) => makeValueInfo(name, "float32");
  const body = makeGraph(writer.unique("body"), {
    nodes,
    inputs: [...states, ...elements].map(info),
    outputs: outputs.map(info),
  });
  const direction = Number(fields.backwards ?? false);
  const made = writer.ops("Scan", [...fields.states, ...fields.sequences], outputs.length, {
    body,
    num_scan_inputs: fields.sequences.length,
    scan_input_directions: fields.sequences.map(() => direction),
    ...(result.outputs.length > 0 ? { scan_output_directions: result.outputs.map(() => direction) } : {}),
  });
  return { states: made.slice(0, states.length), outputs: made.slice(states.length) };
}
