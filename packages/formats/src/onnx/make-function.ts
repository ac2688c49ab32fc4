import { create } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  type FunctionProto,
  FunctionProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from "./gen/onnx_pb.js";

/** Parts of a function. */
export interface FunctionOptions {
  /** Names of its inputs, of which a call may leave out the last ones and any that are empty. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeProto[];
  /** Names of attributes that a call must give. */
  readonly attributes?: readonly string[];
  /** Attributes with the values that they have where a call does not give them. */
  readonly defaults?: readonly AttributeProto[];
  /** Operator set version by domain; opset 21 unless given. */
  readonly opsets?: Readonly<Record<string, number>>;
  readonly valueInfo?: readonly ValueInfoProto[];
  readonly overload?: string;
}

/**
 * Makes a function of a model, which nodes of its domain and name call.
 *
 * @param domain domain that the model must import
 * @param name operator type of the nodes that call it
 * @example
 * ```ts
 * const linear = makeFunction("pkg.torch", "Linear", { inputs: ["x", "w"], outputs: ["y"], nodes: [matMul] });
 * model.functions.push(linear);
 * ```
 */
export function makeFunction(
  domain: string,
  name: string,
  {
    inputs,
    outputs,
    nodes,
    attributes = [],
    defaults = [],
    opsets = { "": 21 },
    valueInfo = [],
    overload = "",
  }: FunctionOptions,
): FunctionProto {
  return create(FunctionProtoSchema, {
    domain,
    name,
    overload,
    input: [...inputs],
    output: [...outputs],
    node: [...nodes],
    attribute: [...attributes],
    attributeProto: [...defaults],
    valueInfo: [...valueInfo],
    opsetImport: Object.entries(opsets).map(([key, version]) => ({ domain: key, version: BigInt(version) })),
  });
}
