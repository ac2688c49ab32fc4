import { makeGraph, makeNode, makeValueInfo, type NodeProto } from "@nasty/formats/onnx";
import { type NodeWriter, nodeWriter } from "@nasty/graph";
import type { GradientWriter } from "./gradient-writer.js";

export interface ScanFields {
  /** Initial values of what is carried from step to step. */
  readonly states: readonly string[];
  /** Tensors whose first dimension is walked along. */
  readonly sequences: readonly string[];
  /** True walks from the last element to the first; outputs keep the places of their inputs. */
  readonly backwards?: boolean;
  /**
   * The step: from states and elements to next states and elements of the outputs; names from outside may be read too.
   */
  readonly step: (
    body: NodeWriter,
    values: { readonly states: readonly string[]; readonly elements: readonly string[] },
  ) => { readonly states: readonly string[]; readonly outputs: readonly string[] };
}

/** A loop over the first dimension of float32 tensors; returns the final states and the stacked outputs. */
export function scan(writer: GradientWriter, fields: ScanFields): { states: string[]; outputs: string[] } {
  const nodes: NodeProto[] = [];
  const body = nodeWriter({
    uniqueName: writer.unique,
    addNode: ({ opType, inputs, outputs, ...options }) =>
      nodes.push(makeNode(opType, inputs, outputs, options)),
  });
  const states = fields.states.map(() => writer.unique("state"));
  const elements = fields.sequences.map(() => writer.unique("element"));
  const result = fields.step(body, { states, elements });
  // A value may leave the body once: states that are outputs too, or unchanged inputs, go through Identity.
  const taken = new Set<string>([...states, ...elements]);
  const leave = (name: string): string => {
    const fresh = !taken.has(name);
    taken.add(name);
    return fresh ? name : body.op("Identity", [name]);
  };
  const outputs = [...result.states, ...result.outputs].map(leave);
  const info = (name: string) => makeValueInfo(name, "float32");
  const graph = makeGraph(writer.unique("body"), {
    nodes,
    inputs: [...states, ...elements].map(info),
    outputs: outputs.map(info),
  });
  const direction = Number(fields.backwards ?? false);
  const made = writer.ops("Scan", [...fields.states, ...fields.sequences], outputs.length, {
    body: graph,
    num_scan_inputs: fields.sequences.length,
    scan_input_directions: fields.sequences.map(() => direction),
    ...(result.outputs.length > 0 ? { scan_output_directions: result.outputs.map(() => direction) } : {}),
  });
  return { states: made.slice(0, states.length), outputs: made.slice(states.length) };
}
