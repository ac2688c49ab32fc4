import { create } from "@bufbuild/protobuf";
import { copyMessage } from "./copy-message.js";
import { type ModelProto, StringStringEntryProtoSchema } from "./gen/onnx_pb.js";

/**
 * The value of a key in a model's `metadata_props`, or undefined; the first one where a file repeats a key.
 *
 * @example
 * ```ts
 * getMetadata(model, "nasty.labels");
 * ```
 */
export function getMetadata(model: ModelProto, key: string): string | undefined {
  return model.metadataProps.find((entry) => entry.key === key)?.value;
}

/**
 * A model with keys of its `metadata_props` set, or removed where the value is undefined.
 *
 * Existing keys keep their place and new ones follow in the order given, so that the same calls give the same bytes.
 *
 * @param model the model; not changed, and shared with the result except for the list of metadata
 * @param entries values by key
 * @example
 * ```ts
 * const tagged = withMetadata(model, { "nasty.task": "pos", "nasty.draft": undefined });
 * ```
 */
export function withMetadata(
  model: ModelProto,
  entries: Readonly<Record<string, string | undefined>>,
): ModelProto {
  const values = new Map(Object.entries(entries));
  const seen = new Set<string>();
  const metadataProps = model.metadataProps.flatMap((entry) => {
    if (!values.has(entry.key)) return [entry];
    const value = values.get(entry.key);
    if (value === undefined || seen.has(entry.key)) return [];
    seen.add(entry.key);
    return [copyMessage(entry, { value })];
  });
  for (const [key, value] of values) {
    if (value === undefined || seen.has(key)) continue;
    metadataProps.push(create(StringStringEntryProtoSchema, { key, value }));
  }
  return copyMessage(model, { metadataProps });
}
