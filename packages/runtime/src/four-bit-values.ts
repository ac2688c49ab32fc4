import { cast, type Tensor } from "@nasty/core";
import { copyMessage, dataTypeOf, type ModelProto, type ValueInfoProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";

/** Inputs and outputs of a model whose elements have 4 bits, by name. */
export type FourBitValues = ReadonlyMap<string, "int4" | "uint4">;

const carrierOf = { int4: "int8", uint4: "uint8" } as const;

export const isFourBit = (dtype: string): dtype is "int4" | "uint4" => dtype === "int4" || dtype === "uint4";

/**
 * The same model with bytes in the place of its 4-bit inputs and outputs, cast inside.
 *
 * The JavaScript binding cannot carry 4-bit tensors: it refuses them as feeds, and a 4-bit result ends the whole
 * process ("out of memory": the binding takes the size of an element for unknown).
 */
export const carryAsBytes = (model: ModelProto, values: FourBitValues): ModelProto => {
  const edited = ModelGraph.from(model);
  const { main } = edited;
  const inputs = new Set(main.inputs.map(({ name }) => name));
  const outputs = new Set(main.outputs.map(({ name }) => name));
  for (const [name, dtype] of values) {
    if (inputs.has(name) && !outputs.has(name)) {
      const inner = main.uniqueName(`${name}_4bit`);
      const attributes = { to: dataTypeOf(dtype) };
      const node = main.addNode(
        { opType: "Cast", inputs: [name], outputs: [inner], attributes },
        ...(main.nodes[0] === undefined ? [] : [{ before: main.nodes[0] }]),
      );
      main.replaceUses(name, inner, { except: [node] });
    }
    const producer = main.producer(name);
    if (outputs.has(name) && producer !== undefined) {
      const inner = main.uniqueName(`${name}_4bit`);
      const readers = main.consumers(name);
      main.setOutput(producer, producer.output.indexOf(name), inner);
      for (const { graph, node, index } of readers) graph.setInput(node, index, inner);
      const attributes = { to: dataTypeOf(carrierOf[dtype]) };
      main.addNode({ opType: "Cast", inputs: [inner], outputs: [name], attributes });
    }
  }
  const result = edited.toModel();
  const { graph } = result;
  if (graph === undefined) return result;
  const declared = (value: ValueInfoProto): ValueInfoProto => asBytes(value, values.get(value.name));
  const changes = { input: graph.input.map(declared), output: graph.output.map(declared) };
  return copyMessage(result, { graph: copyMessage(graph, changes) });
};

const asBytes = (value: ValueInfoProto, dtype: "int4" | "uint4" | undefined): ValueInfoProto => {
  const { type } = value;
  if (dtype === undefined || type?.value.case !== "tensorType") return value;
  const elemType = dataTypeOf(carrierOf[dtype]);
  const tensorType = copyMessage(type.value.value, { elemType });
  return copyMessage(value, {
    type: copyMessage(type, { value: { case: "tensorType", value: tensorType } }),
  });
};

/** A tensor on its way into or out of the binding: two elements a byte outside, one inside. */
export const unpacked = (value: Tensor): Tensor =>
  isFourBit(value.dtype) ? cast(value, carrierOf[value.dtype]) : value;

export const packed = (value: Tensor, dtype: "int4" | "uint4" | undefined): Tensor =>
  dtype === undefined ? value : cast(value, dtype);
