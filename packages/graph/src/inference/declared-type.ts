import type { TensorProto, ValueInfoProto } from "@nasty/formats/onnx";
import { dtypeOrUndefined } from "../element-type.js";
import type { Dim } from "./dims.js";
import type { PartialType } from "./rule.js";

/** The type that a value_info, input or output entry states; undefined for anything but tensors. */
export function declaredType(info: ValueInfoProto | undefined): PartialType | undefined {
  const type = info?.type?.value;
  if (type?.case !== "tensorType") return undefined;
  const { elemType, shape } = type.value;
  return {
    dtype: dtypeOrUndefined(elemType),
    shape: shape?.dim.map(({ value }): Dim => {
      if (value.case === "dimParam") return value.value === "" ? undefined : value.value;
      // Some exporters write -1 (and old ones 0 for a batch) where they mean "any".
      return value.case === "dimValue" && value.value >= 0n ? Number(value.value) : undefined;
    }),
  };
}

/** Type of a stored tensor. */
export function storedType(tensor: TensorProto): PartialType {
  return { dtype: dtypeOrUndefined(tensor.dataType), shape: tensor.dims.map(Number) };
}
