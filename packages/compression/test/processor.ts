import { type Tensor, tensor } from "@nasty/core";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeValueInfo,
  type ModelProto,
  tensorToProto,
} from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";

/**
 * What a session needs so that its int8 kernels are exact on every processor, at a price in time: the measure of the
 * others.
 */
export const exactly = { config: { "session.x64quantprecision": "1" } } as const;

/** Whether this processor's uint8 × int8 kernels add two products in saturating int16: 2 · 255 · 127 is more. */
export async function saturates(): Promise<boolean> {
  const inputs = [makeValueInfo("x", "uint8", [1, 2])];
  const weight = tensorToProto(tensor("int8", [2, 1], Int8Array.of(127, 127)), "W");
  const graph = makeGraph("probe", {
    nodes: [makeNode("MatMulInteger", ["x", "W"], ["y"])],
    inputs,
    outputs: [makeValueInfo("y", "int32")],
    initializers: [weight],
  });
  const session = await openSession(makeModel(graph, { opsets: { "": 13 }, irVersion: 8 }));
  const { y } = await session.run({ x: tensor("uint8", [1, 2], Uint8Array.of(255, 255)) });
  await session.close();
  return (y as Tensor<"int32">).data[0] !== 2 * 255 * 127;
}

/** The graph's outputs with the kernels of this processor, and with exact ones. */
export async function bothWays(
  model: ModelProto,
  feeds: Parameters<Awaited<ReturnType<typeof openSession>>["run"]>[0],
): Promise<{ readonly here: Float32Array; readonly exact: Float32Array }> {
  const outputs: Float32Array[] = [];
  for (const options of [{}, exactly]) {
    const session = await openSession(model, options);
    const { y } = await session.run(feeds);
    await session.close();
    outputs.push(y?.data as Float32Array);
  }
  const [here = new Float32Array(), exact = new Float32Array()] = outputs;
  return { here, exact };
}
