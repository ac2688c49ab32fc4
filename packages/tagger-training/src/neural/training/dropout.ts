import type { ModelProto } from "@nasty/formats/onnx";
import type { DropoutSetting } from "@nasty/training";
import type { Architecture } from "../architecture.js";

/**
 * How the Dropout nodes of a network work: the masks of a two-way LSTM are shared along the sentence.
 *
 * @param ratio in place of those that the nodes have; a node whose ratio is 0 was never written
 */
export function dropoutOf(model: ModelProto, { kind }: Architecture, ratio?: number): DropoutSetting[] {
  const hasDropout = model.graph?.node.some(({ opType }) => opType === "Dropout") === true;
  if (!hasDropout || (kind !== "bilstm" && ratio === undefined)) return [];
  return [
    {
      node: "dropout/*",
      ...(ratio === undefined ? {} : { ratio }),
      ...(kind === "bilstm" ? { sharedAxes: [0] } : {}),
    },
  ];
}
