import type { Tensor } from "@nasty/core";
import {
  copyMessage,
  type GraphProto,
  type ModelProto,
  tensorFromProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { readModelFile, writeModelFile } from "@nasty/formats/onnx/node";
import { ModelGraph } from "@nasty/graph";
import { openSession } from "@nasty/runtime";
import { tensor } from "@nasty/core";
import type { Engine } from "../../src/verification/engine.js";

/** ONNX Runtime under a name, and of a version, of its own. */
export function engineNamed(name: string, more: Partial<Engine> = {}): Engine {
  return {
    name,
    version: async () => "1.30.0",
    open: (model, options) => openSession(model, { ...options, engine: "native" }),
    ...more,
  };
}

/** An engine that computes one value wrongly, whatever of a model it is asked for, and counts the models it opened. */
export function wrongEngine(value: string, factor: number): Engine & { readonly opened: () => number } {
  let opened = 0;
  const open: Engine["open"] = async (model, options) => {
    opened += 1;
    const read = typeof model === "string" ? await readModelFile(model) : model;
    return openSession(scaled(read, value, factor), { ...options, engine: "native" });
  };
  return { ...engineNamed("wrong", { open }), opened: () => opened };
}

/** The model with a float value that is multiplied behind the node that makes it. */
function scaled(model: ModelProto, value: string, factor: number): ModelProto {
  const opened = ModelGraph.from(model);
  const { main } = opened;
  const node = main.producer(value);
  if (node === undefined) throw new Error(`no node makes ${value}`);
  const right = main.uniqueName(`${value}_right`);
  main.setOutput(node, node.output.indexOf(value), right);
  const by = main.addInitializer("factor", tensor("float32", [], Float32Array.of(factor)));
  main.addNode({ opType: "Mul", name: "", inputs: [right, by], outputs: [value] }, { after: node });
  return opened.toModel();
}

/** Writes a copy of a model file with the float32 numbers of one tensor changed. */
export async function writeChanged(
  file: string,
  { tensor: name, output, change }: { tensor: string; output: string; change: (value: number) => number },
): Promise<string> {
  const model = await readModelFile(file);
  const graph = model.graph as GraphProto;
  const found = graph.initializer.filter((proto) => proto.name === name);
  if (found.length !== 1) {
    throw new Error(`no ${name} among ${graph.initializer.map((one) => one.name).join(", ")}`);
  }
  const initializer = graph.initializer.map((proto) => {
    if (proto.name !== name) return proto;
    const values = tensorFromProto(proto) as Tensor<"float32">;
    return tensorToProto({ ...values, data: values.data.map(change) }, name);
  });
  await writeModelFile(output, copyMessage(model, { graph: copyMessage(graph, { initializer }) }));
  return output;
}
