import { toFloat32 } from "@nasty/core";
import {
  type AttributeProto,
  copyMessage,
  type NodeProto,
  TensorProto_DataType as DataType,
  tensorFromProto,
  tensorToProto,
  type TensorProto,
  type TypeProto,
} from "@nasty/formats/onnx";

/** Element types that are computed with in 16 bits. */
export const isHalf = (dataType: number): boolean =>
  dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16;

/** Attributes that name an element type, by operator. */
const typeAttributes: ReadonlyMap<string, readonly string[]> = new Map([
  ["Attention", ["softmax_precision"]],
  ["Bernoulli", ["dtype"]],
  ["BlackmanWindow", ["output_datatype"]],
  ["Cast", ["to"]],
  ["DequantizeLinear", ["output_dtype"]],
  ["EyeLike", ["dtype"]],
  ["GroupNormalization", ["stash_type"]],
  ["HammingWindow", ["output_datatype"]],
  ["HannWindow", ["output_datatype"]],
  ["LayerNormalization", ["stash_type"]],
  ["MelWeightMatrix", ["output_datatype"]],
  ["QuantizeLinear", ["precision"]],
  ["RMSNormalization", ["stash_type"]],
  ["RandomNormal", ["dtype"]],
  ["RandomNormalLike", ["dtype"]],
  ["RandomUniform", ["dtype"]],
  ["RandomUniformLike", ["dtype"]],
  ["SequenceEmpty", ["dtype"]],
]);

/** A tensor of 16-bit floats in float32; its name stays. */
export const liftedTensor = (tensor: TensorProto): TensorProto => {
  const value = tensorFromProto(tensor);
  return tensorToProto({ dtype: "float32", shape: value.shape, data: toFloat32(value) }, tensor.name);
};

/**
 * The attributes of a node with 16-bit floats made float32, and the tensors that were; graphs are left to who edits
 * them.
 */
export function liftedAttributes(node: NodeProto): {
  readonly attributes: readonly AttributeProto[];
  readonly tensors: readonly TensorProto[];
} {
  const tensors: TensorProto[] = [];
  const lift = (tensor: TensorProto): TensorProto => {
    if (!isHalf(tensor.dataType)) return tensor;
    tensors.push(tensor);
    return liftedTensor(tensor);
  };
  const names = typeAttributes.get(node.opType) ?? [];
  const attributes = node.attribute.map((attribute) => {
    if (attribute.t !== undefined && isHalf(attribute.t.dataType)) {
      return copyMessage(attribute, { t: lift(attribute.t) });
    }
    if (attribute.tensors.some(({ dataType }) => isHalf(dataType))) {
      return copyMessage(attribute, { tensors: attribute.tensors.map(lift) });
    }
    if (attribute.tp !== undefined) return copyMessage(attribute, { tp: liftedType(attribute.tp) });
    if (names.includes(attribute.name) && isHalf(Number(attribute.i))) {
      return copyMessage(attribute, { i: BigInt(DataType.FLOAT) });
    }
    return attribute;
  });
  return { attributes, tensors };
}

/**
 * A type with 16-bit floats made float32, in sequences, maps and optional values too; the type itself if it has none.
 */
export function liftedType(type: TypeProto): TypeProto {
  const { value } = type;
  switch (value.case) {
    case "tensorType":
    case "sparseTensorType":
      return isHalf(value.value.elemType)
        ? copyMessage(type, {
            value: { case: value.case, value: copyMessage(value.value, { elemType: DataType.FLOAT }) },
          } as Partial<TypeProto>)
        : type;
    case "sequenceType":
    case "optionalType": {
      const { elemType } = value.value;
      if (elemType === undefined) return type;
      const lifted = liftedType(elemType);
      return lifted === elemType
        ? type
        : copyMessage(type, {
            value: { case: value.case, value: copyMessage(value.value, { elemType: lifted }) },
          } as Partial<TypeProto>);
    }
    case "mapType": {
      const { valueType } = value.value;
      if (valueType === undefined) return type;
      const lifted = liftedType(valueType);
      return lifted === valueType
        ? type
        : copyMessage(type, {
            value: { case: "mapType", value: copyMessage(value.value, { valueType: lifted }) },
          } as Partial<TypeProto>);
    }
    case "opaqueType":
    case undefined:
      return type;
    default:
      return value satisfies never;
  }
}
