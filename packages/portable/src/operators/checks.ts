import type { DType, Tensor } from "@nasty/core";
import { dtypeOf, type NodeProto } from "@nasty/formats/onnx";
import { type OpenNode, Refusal } from "../plan/operator.js";
import type { ValueInfo } from "../plan/value.js";

/**
 * @param known the attributes that the operator reads, or may leave unread
 * @throws Refusal naming an attribute that is not among them
 */
export const onlyAttributes = ({ node }: OpenNode, known: readonly string[]): void => {
  const other = node.attribute.find(({ name }) => !known.includes(name));
  if (other !== undefined)
    throw new Refusal(`attribute ${other.name}: expected ${known.length === 0 ? "none" : known.join(", ")}`);
};

/** @throws Refusal if the input is missing */
export const input = ({ inputs }: OpenNode, index: number): ValueInfo => {
  const found = inputs[index];
  if (found === undefined) throw new Refusal(`input ${index}: expected a value, got none`);
  return found;
};

/** @throws Refusal if the input is there and has another type */
export const checkType = (open: OpenNode, index: number, types: readonly DType[]): void => {
  const found = open.inputs[index];
  if (found !== undefined && !types.includes(found.dtype))
    throw new Refusal(`input ${index}: type: expected ${types.join(" or ")}, got ${found.dtype}`, "type");
};

/** @throws Refusal if the input has elements that only a run gives */
export const checkStatic = (open: OpenNode, index: number): void => {
  if (open.inputs[index]?.isStatic === false)
    throw new Refusal(
      `input ${index}: expected values that follow from weights and shapes, got values that a run computes`,
    );
};

/** @throws Refusal if the input is there and no weight */
export const constant = (open: OpenNode, index: number): Tensor | undefined => {
  const found = open.inputs[index];
  if (found !== undefined && found.constant === undefined)
    throw new Refusal(`input ${index}: expected a weight, got a value that is computed`);
  return found?.constant;
};

/** @throws Refusal if the input is missing or no weight */
export const weightOf = (open: OpenNode, index: number): Tensor => {
  input(open, index);
  return constant(open, index) as Tensor;
};

/** @throws Refusal for outputs that are asked for beyond the first ones */
export const onlyOutputs = ({ node }: OpenNode, most: number): void => {
  const extra = node.output.findIndex((name, index) => index >= most && name !== "");
  if (extra >= 0)
    throw new Refusal(`output ${extra}: expected ${most === 1 ? "one output" : `${most} outputs`}`);
};

export const checked = (condition: boolean, reason: string): void => {
  if (!condition) throw new Refusal(reason);
};

/** The element type that an attribute names. */
export const typeNamed = (value: number, attribute: string): DType => {
  try {
    return dtypeOf(value);
  } catch {
    throw new Refusal(`attribute ${attribute}: expected a type of numbers, got type ${value}`, "type");
  }
};

export const integersOf = (tensor: Tensor): number[] =>
  Array.from(tensor.data as ArrayLike<number | bigint>, Number);

/** An axis counted from the front. */
export const axisOf = (axis: number, rank: number): number => {
  const found = axis < 0 ? axis + rank : axis;
  if (found < 0 || found >= Math.max(rank, 1))
    throw new RangeError(`axis: expected ${-rank} to ${rank - 1}, got ${axis}`);
  return found;
};

export const nodeLabel = (node: NodeProto): string => {
  const domain = node.domain === "" || node.domain === "ai.onnx" ? "" : `${node.domain}.`;
  const name = node.name || node.output[0] || "";
  return `${domain}${node.opType} ${JSON.stringify(name)}`;
};
