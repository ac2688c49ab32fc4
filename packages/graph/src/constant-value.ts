import { type Tensor, tensor } from "@nasty/core";
import type { NodeProto, TensorProto } from "@nasty/formats/onnx";
import { tensorFromProto } from "@nasty/formats/onnx";
import { dtypeOrUndefined } from "./element-type.js";
import type { ScopedGraph } from "./scoped-graph.js";
import { isStandard } from "./operators/traits.js";

/** The value of a name that no run can change, through Identity nodes; see `Graph.constant`. */
export const constantValue = (graph: ScopedGraph, name: string): Tensor | undefined => {
  let scope = graph.scopeOf(name);
  let current = name;
  // A cycle of Identity nodes is a fault of the model that validation names; here it only must end.
  const seen = new Set<string>();
  while (scope !== undefined) {
    const initializer = scope.initializers.get(current);
    if (initializer !== undefined) return scope.isOverridable(current) ? undefined : tensorOf(initializer);
    const node: NodeProto | undefined = scope.producer(current);
    if (node === undefined || !isStandard(node)) return undefined;
    if (node.opType === "Constant") return constantNodeValue(node);
    if (node.opType !== "Identity") return undefined;
    current = node.input[0] ?? "";
    scope = scope.scopeOf(current);
    const key = `${scope?.path ?? ""}\n${current}`;
    if (seen.has(key)) return undefined;
    seen.add(key);
  }
  return undefined;
};

/** A tensor message's value, or undefined for element types that have no dtype here. */
export const tensorOf = (proto: TensorProto): Tensor | undefined =>
  dtypeOrUndefined(proto.dataType) === undefined ? undefined : tensorFromProto(proto);

/** The value that a Constant node holds, in whichever attribute: value, value_float(s), value_int(s). */
export const constantNodeValue = (node: NodeProto): Tensor | undefined => {
  const attribute = node.attribute[0];
  if (attribute === undefined || node.attribute.length !== 1 || attribute.refAttrName !== "")
    return undefined;
  switch (attribute.name) {
    case "value":
      return attribute.t === undefined ? undefined : tensorOf(attribute.t);
    case "value_float":
      return tensor("float32", [], Float32Array.of(attribute.f));
    case "value_floats":
      return tensor("float32", [attribute.floats.length], Float32Array.from(attribute.floats));
    case "value_int":
      return tensor("int64", [], BigInt64Array.of(attribute.i));
    case "value_ints":
      return tensor("int64", [attribute.ints.length], BigInt64Array.from(attribute.ints));
    default:
      return undefined;
  }
};
