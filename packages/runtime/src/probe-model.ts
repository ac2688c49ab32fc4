import { makeGraph, makeModel, makeNode, makeValueInfo, serializeModel } from "@nasty/formats/onnx";

/** The smallest model that computes: y = x + x. */
export const probeModel = (): Uint8Array =>
  serializeModel(
    makeModel(
      makeGraph("probe", {
        nodes: [makeNode("Add", ["x", "x"], ["y"])],
        inputs: [makeValueInfo("x", "float32", [1])],
        outputs: [makeValueInfo("y", "float32", [1])],
      }),
      { opsets: { "": 13 }, irVersion: 8 },
    ),
  );
