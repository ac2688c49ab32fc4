import type { ModelProto } from "@nasty/formats/onnx";

/** Where in a model's order the node of a value stands: what departs later departs for its own reasons. */
export const placeOf = ({ graph }: ModelProto, { value }: { readonly value: string }): number =>
  graph?.node.findIndex(({ output }) => output.includes(value)) ?? -1;
