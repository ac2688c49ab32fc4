import { type DType, dtypes } from "@nasty/core";
import { dataTypeOf } from "@nasty/formats/onnx";

const byNumber = new Map(dtypes.map((dtype) => [dataTypeOf(dtype), dtype]));

/** The dtype of an ONNX element type, or undefined for those that have none here: strings, float8, complex, 2-bit. */
export const dtypeOrUndefined = (dataType: number): DType | undefined => byNumber.get(dataType);
