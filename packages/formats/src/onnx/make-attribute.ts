import { create, isMessage } from "@bufbuild/protobuf";
import type { Tensor } from "@nasty/core";
import { FormatError } from "../format-error.js";
import {
  AttributeProto_AttributeType as AttributeType,
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from "./gen/onnx_pb.js";
import { tensorToProto } from "./tensor-to-proto.js";

/** A value with its type said, where the value alone would not tell: 1 as a float, an empty list. */
export type TypedAttributeValue =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: number | bigint }
  | { readonly kind: "string"; readonly value: string | Uint8Array }
  | { readonly kind: "tensor"; readonly value: Tensor | TensorProto }
  | { readonly kind: "graph"; readonly value: GraphProto }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "ints"; readonly value: readonly (number | bigint)[] }
  | { readonly kind: "strings"; readonly value: readonly (string | Uint8Array)[] }
  | { readonly kind: "tensors"; readonly value: readonly (Tensor | TensorProto)[] }
  | { readonly kind: "graphs"; readonly value: readonly GraphProto[] };

/** What an attribute can be made of. */
export type AttributeValue =
  | number
  | bigint
  | string
  | Uint8Array
  | Tensor
  | TensorProto
  | GraphProto
  | readonly (number | bigint)[]
  | readonly (string | Uint8Array)[]
  | TypedAttributeValue;

/**
 * Makes an attribute. A number without a fraction becomes INT, another number FLOAT; a list of numbers INTS if none has
 * a fraction, else FLOATS. Where that is not what the operator wants (an alpha of 1), say it:
 * `{ kind: "float", value: 1 }`.
 *
 * @param name the attribute's name
 * @param value number, bigint, string, bytes, tensor, graph, list of numbers or strings, or a typed value
 * @throws FormatError `attribute` for an empty list without a kind, and an INT that is no 64-bit integer
 * @see ONNX 1.22, onnx.proto, AttributeProto
 * @example
 * ```ts
 * makeAttribute("axis", -1); // INT
 * makeAttribute("alpha", { kind: "float", value: 1 }); // FLOAT
 * ```
 */
export function makeAttribute(name: string, value: AttributeValue): AttributeProto {
  const typed = typedValue(name, value);
  switch (typed.kind) {
    case "float":
      return create(AttributeProtoSchema, { name, f: Math.fround(typed.value), type: AttributeType.FLOAT });
    case "int":
      return create(AttributeProtoSchema, { name, i: integer(name, typed.value), type: AttributeType.INT });
    case "string":
      return create(AttributeProtoSchema, { name, s: bytes(typed.value), type: AttributeType.STRING });
    case "tensor":
      return create(AttributeProtoSchema, { name, t: message(typed.value), type: AttributeType.TENSOR });
    case "graph":
      return create(AttributeProtoSchema, { name, g: typed.value, type: AttributeType.GRAPH });
    case "floats":
      return create(AttributeProtoSchema, {
        name,
        floats: typed.value.map(Math.fround),
        type: AttributeType.FLOATS,
      });
    case "ints":
      return create(AttributeProtoSchema, {
        name,
        ints: typed.value.map((item) => integer(name, item)),
        type: AttributeType.INTS,
      });
    case "strings":
      return create(AttributeProtoSchema, {
        name,
        strings: typed.value.map(bytes),
        type: AttributeType.STRINGS,
      });
    case "tensors":
      return create(AttributeProtoSchema, {
        name,
        tensors: typed.value.map(message),
        type: AttributeType.TENSORS,
      });
    case "graphs":
      return create(AttributeProtoSchema, { name, graphs: [...typed.value], type: AttributeType.GRAPHS });
    default: {
      const unreachable: never = typed;
      throw new TypeError(`makeAttribute: ${String(unreachable)}`);
    }
  }
}

function typedValue(name: string, value: AttributeValue): TypedAttributeValue {
  if (typeof value === "bigint") return { kind: "int", value };
  if (typeof value === "number") return { kind: Number.isInteger(value) ? "int" : "float", value };
  if (typeof value === "string" || value instanceof Uint8Array) return { kind: "string", value };
  if (isList(value)) return typedList(name, value);
  if ("kind" in value) return value;
  if (isMessage(value, GraphProtoSchema)) return { kind: "graph", value };
  return { kind: "tensor", value };
}

function typedList(
  name: string,
  value: readonly (number | bigint)[] | readonly (string | Uint8Array)[],
): TypedAttributeValue {
  if (value.length === 0) {
    throw new FormatError(
      "attribute",
      `makeAttribute: attribute ${JSON.stringify(name)}: empty list: expected its kind, such as ` +
        '{ kind: "ints", value: [] }, got []',
      { name },
    );
  }
  if (!isNumbers(value)) return { kind: "strings", value };
  const whole = value.every((item) => typeof item === "bigint" || Number.isInteger(item));
  return whole ? { kind: "ints", value } : { kind: "floats", value: value.map(Number) };
}

/** Array.isArray does not narrow readonly arrays. */
function isList(
  value: AttributeValue,
): value is readonly (number | bigint)[] | readonly (string | Uint8Array)[] {
  return Array.isArray(value);
}

function isNumbers(
  value: readonly (number | bigint)[] | readonly (string | Uint8Array)[],
): value is readonly (number | bigint)[] {
  return typeof value[0] === "number" || typeof value[0] === "bigint";
}

function integer(name: string, value: number | bigint): bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new FormatError(
      "attribute",
      `makeAttribute: attribute ${JSON.stringify(name)}: INT: expected an integer within ±2^53 or a bigint, got ${value}`,
      { name },
    );
  }
  const wide = BigInt(value);
  if (BigInt.asIntN(64, wide) === wide) return wide;
  throw new FormatError(
    "attribute",
    `makeAttribute: attribute ${JSON.stringify(name)}: INT: expected 64 bits, got ${wide}`,
    { name },
  );
}

function bytes(value: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof value === "string" ? new TextEncoder().encode(value) : (value as Uint8Array<ArrayBuffer>);
}

function message(value: Tensor | TensorProto): TensorProto {
  return isMessage(value, TensorProtoSchema) ? value : tensorToProto(value as Tensor);
}
