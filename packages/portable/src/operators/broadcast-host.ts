import { type DType, elementCount, type Tensor } from "@nasty/core";
import type { Value } from "../plan/value.js";
import { emptyTensor } from "./on-host.js";
import { broadcastShape, spreadStrides, walkOffsets } from "./shapes.js";

/** Storage whose elements are the values themselves. */
export const plainTypes: readonly DType[] = [
  "float64",
  "float32",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
];

type Element = number | bigint;

/** Element by element over tensors that broadcast; the storage of the result rounds or wraps what it is given. */
export const overElements =
  (dtype: DType, compute: (...elements: Element[]) => Element | boolean) =>
  (inputs: readonly (Tensor | undefined)[]): readonly Tensor[] => {
    const operands = inputs.filter((one) => one !== undefined);
    const shape = broadcastShape(operands.map((one) => one.shape));
    const result = emptyTensor(dtype, shape);
    const offsets = walkOffsets({
      sizes: shape,
      strides: operands.map((one) => spreadStrides(one.shape, shape)),
    });
    const out = result.data as unknown as Element[];
    const elements = operands.map((): Element => 0);
    for (let i = 0; i < elementCount(shape); i++) {
      for (let k = 0; k < operands.length; k++)
        elements[k] = (operands[k] as Tensor).data[(offsets[k] as number[])[i] as number] as Element;
      const value = compute(...elements);
      out[i] = typeof value === "boolean" ? Number(value) : value;
    }
    return [result];
  };

export const broadcastResult = (inputs: readonly (Value | undefined)[]): readonly (readonly number[])[] => [
  broadcastShape(inputs.flatMap((value) => (value === undefined ? [] : [value.shape]))),
];
