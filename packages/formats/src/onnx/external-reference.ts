import { create } from "@bufbuild/protobuf";
import { FormatError } from "../format-error.js";
import { copyMessage } from "./copy-message.js";
import { dataTypeName } from "./data-type.js";
import {
  type ModelProto,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation as DataLocation,
  type TensorProto,
} from "./gen/onnx_pb.js";
import { rawBytes, shapeOf } from "./tensor-size.js";
import { tensorsOf } from "./tensors-of.js";

/** Where a tensor's values are outside the model file. */
export interface ExternalReference {
  readonly tensor: TensorProto;
  /** What messages call the tensor. */
  readonly where: string;
  /** File beside the model, as a relative path without "..". */
  readonly location: string;
  /** First byte. */
  readonly offset: number;
  /** Number of bytes, which dims and data type demand. */
  readonly length: number;
}

/** Offsets of external tensors are multiples of this, so that a runtime can map the file. */
const alignment = 4096;

/**
 * The external tensors of a model, each checked: a location that stays beside the model, an offset and a length that
 * are numbers, and a length that is what dims and data type demand.
 *
 * @throws FormatError `external-data`, naming the tensor
 * @see ONNX 1.22, docs/ExternalData.md
 */
export function externalReferences(model: ModelProto, operation: string): ExternalReference[] {
  const found: ExternalReference[] = [];
  for (const { tensor, where } of tensorsOf(model)) {
    if (tensor.dataLocation === DataLocation.EXTERNAL) found.push(referenceOf(tensor, where, operation));
  }
  return found;
}

function referenceOf(tensor: TensorProto, where: string, operation: string): ExternalReference {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const fail = (what: string): never => failExternal(operation, where, what, tensor.name);
  const location = entries.get("location") ?? fail("location: expected a file name, got none");
  const problem = escapes(location);
  if (problem !== undefined) {
    fail(`location: expected a file in the folder of the model, got ${problem} ${JSON.stringify(location)}`);
  }
  const number = (key: string): number | undefined => {
    const text = entries.get(key);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value)
      ? value
      : fail(`${key}: expected a number of bytes, got ${JSON.stringify(text.slice(0, 32))}`);
  };
  const shape = shapeOf(tensor, operation, where);
  const title = `${dataTypeName(tensor.dataType)} [${shape.join(", ")}]`;
  const length = rawBytes(tensor.dataType, shape);
  if (length === undefined) return fail(`data type: expected one with a raw form, got ${title}`);
  const declared = number("length") ?? length;
  if (declared !== length) fail(`length: expected ${length} bytes for ${title}, got ${declared}`);
  return { tensor, where, location, offset: number("offset") ?? 0, length };
}

/** What is wrong with a location, or undefined. Both kinds of separator count: the file may come from anywhere. */
function escapes(location: string): string | undefined {
  if (location === "" || location.includes("\0")) return "the unusable name";
  if (/^([/\\]|[A-Za-z]:)/.test(location)) return "the absolute path";
  return location.split(/[/\\]/).includes("..") ? "the outside path" : undefined;
}

/** A planned data file: what to write, and the tensors that refer to it. */
export interface ExternalLayout {
  readonly chunks: readonly Uint8Array[];
  readonly replacements: ReadonlyMap<TensorProto, TensorProto>;
}

/**
 * Plans one data file for the initializers whose raw data has at least `thresholdBytes`, in the model's order, each at
 * a multiple of 4096 bytes.
 *
 * Values of attributes stay in the model: runtimes do not look for them elsewhere.
 */
export function layOutExternalData(
  model: ModelProto,
  location: string,
  thresholdBytes: number,
): ExternalLayout {
  const chunks: Uint8Array[] = [];
  const replacements = new Map<TensorProto, TensorProto>();
  let end = 0;
  for (const { tensor, isInitializer } of tensorsOf(model)) {
    const { rawData } = tensor;
    if (!isInitializer || rawData.length === 0 || rawData.length < thresholdBytes || replacements.has(tensor))
      continue;
    const offset = Math.ceil(end / alignment) * alignment;
    if (offset > end) chunks.push(new Uint8Array(offset - end));
    chunks.push(rawData);
    end = offset + rawData.length;
    replacements.set(tensor, referring(tensor, { location, offset, length: rawData.length }));
  }
  return { chunks, replacements };
}

function referring(
  tensor: TensorProto,
  entries: { location: string; offset: number; length: number },
): TensorProto {
  return copyMessage(tensor, {
    rawData: undefined,
    dataLocation: DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) }),
    ),
  });
}

/** A tensor's reference to external data that cannot be followed. */
export function failExternal(
  operation: string,
  where: string,
  what: string,
  name: string,
  cause?: unknown,
): never {
  throw new FormatError("external-data", `${operation}: ${where}: ${what}`, {
    name,
    ...(cause === undefined ? {} : { cause }),
  });
}
