import { FormatError } from "../format-error.js";
import {
  AttributeProto_AttributeType as AttributeType,
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
} from "./gen/onnx_pb.js";

/** A value field of AttributeProto that these readers know, and the type number that announces it. */
const types = {
  f: AttributeType.FLOAT,
  i: AttributeType.INT,
  s: AttributeType.STRING,
  t: AttributeType.TENSOR,
  g: AttributeType.GRAPH,
  floats: AttributeType.FLOATS,
  ints: AttributeType.INTS,
  strings: AttributeType.STRINGS,
  tensors: AttributeType.TENSORS,
  graphs: AttributeType.GRAPHS,
} as const;

type ValueField = keyof typeof types;

const typeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(AttributeType).map(([name, number]) => [number, name]),
);

/** The attribute of a node with a name, or undefined. */
export function attributeOf(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((attribute) => attribute.name === name);
}

/**
 * An integer attribute as a number, or the fallback where the node has none.
 *
 * @throws FormatError `attribute` when it has another type, refers to an attribute of a function, or exceeds 2^53
 * @example
 * ```ts
 * const axis = intAttribute(node, "axis", 1);
 * ```
 */
export function intAttribute(node: NodeProto, name: string): number | undefined;
export function intAttribute(node: NodeProto, name: string, fallback: number): number;
export function intAttribute(node: NodeProto, name: string, fallback?: number): number | undefined {
  const found = valueOf("intAttribute", node, name, "i");
  return found === undefined ? fallback : safeNumber("intAttribute", node, name, found.i);
}

/**
 * A float attribute, or the fallback where the node has none.
 *
 * @throws FormatError `attribute` when it has another type or refers to an attribute of a function
 * @example
 * ```ts
 * const epsilon = floatAttribute(node, "epsilon", 1e-5);
 * ```
 */
export function floatAttribute(node: NodeProto, name: string): number | undefined;
export function floatAttribute(node: NodeProto, name: string, fallback: number): number;
export function floatAttribute(node: NodeProto, name: string, fallback?: number): number | undefined {
  const found = valueOf("floatAttribute", node, name, "f");
  return found === undefined ? fallback : found.f;
}

/**
 * A string attribute, decoded as UTF-8, or the fallback where the node has none.
 *
 * @throws FormatError `attribute` when it has another type or refers to an attribute of a function
 * @example
 * ```ts
 * const direction = stringAttribute(node, "direction", "forward");
 * ```
 */
export function stringAttribute(node: NodeProto, name: string): string | undefined;
export function stringAttribute(node: NodeProto, name: string, fallback: string): string;
export function stringAttribute(node: NodeProto, name: string, fallback?: string): string | undefined {
  const found = valueOf("stringAttribute", node, name, "s");
  return found === undefined ? fallback : new TextDecoder().decode(found.s);
}

/**
 * A list of integers as numbers, or the fallback where the node has none.
 *
 * @throws FormatError `attribute` as {@link intAttribute}
 * @example
 * ```ts
 * const axes = intsAttribute(node, "perm", [1, 0]);
 * ```
 */
export function intsAttribute(node: NodeProto, name: string): number[] | undefined;
export function intsAttribute(node: NodeProto, name: string, fallback: readonly number[]): readonly number[];
export function intsAttribute(
  node: NodeProto,
  name: string,
  fallback?: readonly number[],
): readonly number[] | undefined {
  const found = valueOf("intsAttribute", node, name, "ints");
  return found === undefined
    ? fallback
    : found.ints.map((value) => safeNumber("intsAttribute", node, name, value));
}

/**
 * A list of floats, or the fallback where the node has none.
 *
 * @throws FormatError `attribute` as {@link floatAttribute}
 */
export function floatsAttribute(node: NodeProto, name: string): readonly number[] | undefined;
export function floatsAttribute(
  node: NodeProto,
  name: string,
  fallback: readonly number[],
): readonly number[];
export function floatsAttribute(
  node: NodeProto,
  name: string,
  fallback?: readonly number[],
): readonly number[] | undefined {
  return valueOf("floatsAttribute", node, name, "floats")?.floats ?? fallback;
}

/**
 * A list of strings, decoded as UTF-8, or the fallback where the node has none.
 *
 * @throws FormatError `attribute` as {@link stringAttribute}
 */
export function stringsAttribute(node: NodeProto, name: string): readonly string[] | undefined;
export function stringsAttribute(
  node: NodeProto,
  name: string,
  fallback: readonly string[],
): readonly string[];
export function stringsAttribute(
  node: NodeProto,
  name: string,
  fallback?: readonly string[],
): readonly string[] | undefined {
  const found = valueOf("stringsAttribute", node, name, "strings");
  const decoder = new TextDecoder();
  return found === undefined ? fallback : found.strings.map((bytes) => decoder.decode(bytes));
}

/**
 * A tensor attribute, or undefined where the node has none.
 *
 * @throws FormatError `attribute` when it has another type or refers to an attribute of a function
 */
export function tensorAttribute(node: NodeProto, name: string): TensorProto | undefined {
  return valueOf("tensorAttribute", node, name, "t")?.t;
}

/**
 * A subgraph, such as the body of a Loop, or undefined where the node has none of that name.
 *
 * @throws FormatError `attribute` when it has another type or refers to an attribute of a function
 */
export function graphAttribute(node: NodeProto, name: string): GraphProto | undefined {
  return valueOf("graphAttribute", node, name, "g")?.g;
}

function valueOf(
  operation: string,
  node: NodeProto,
  name: string,
  field: ValueField,
): AttributeProto | undefined {
  const attribute = attributeOf(node, name);
  if (attribute === undefined) return undefined;
  const expected = typeNames.get(types[field]);
  if (attribute.refAttrName !== "") {
    const got = `a reference to ${JSON.stringify(attribute.refAttrName)} of the enclosing function`;
    return fail(operation, node, name, `expected ${expected}, got ${got}`);
  }
  // IR version 1 has no type: the field that is set tells.
  const untyped = attribute.type === AttributeType.UNDEFINED;
  const matches = untyped ? isSet(attribute, field) : attribute.type === types[field];
  if (matches) return attribute;
  const got = untyped ? "another value without a type" : typeNames.get(attribute.type);
  return fail(operation, node, name, `expected ${expected}, got ${got}`);
}

/** Whether the file has the field: what it has not stands on the prototype, or is an empty list. */
function isSet(attribute: AttributeProto, field: ValueField): boolean {
  const value = attribute[field];
  return Array.isArray(value) ? value.length > 0 : Object.hasOwn(attribute, field) && value !== undefined;
}

function safeNumber(operation: string, node: NodeProto, name: string, value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  return fail(operation, node, name, `expected an integer within ±2^53, got ${value}`);
}

function fail(operation: string, node: NodeProto, attribute: string, what: string): never {
  const label = node.name || node.output[0] || "";
  throw new FormatError(
    "attribute",
    `${operation}: node ${JSON.stringify(label)} (${node.opType}): attribute ${JSON.stringify(attribute)}: ${what}`,
    { name: label },
  );
}
