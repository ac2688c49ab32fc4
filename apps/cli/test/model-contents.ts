import { tensorFromProto, type ModelProto } from "@nasty/formats/onnx";
import type { Json } from "./workshop.js";

/** Every constant of a model with its values. */
export function constants(model: ModelProto) {
  return (model.graph?.initializer ?? []).map((tensor) => ({
    name: tensor.name,
    ...tensorFromProto(tensor),
  }));
}

/** All that a model computes with, without its metadata: two texts differ only if the models do. */
export function computation(model: ModelProto): string {
  return JSON.stringify(
    [model.graph?.node, constants(model).map(({ name, data }) => [name, [...data]])],
    (_, value) => (typeof value === "bigint" ? String(value) : value),
  );
}

/** The record of the last step, as the file carries it. */
export function history(model: ModelProto): { options: Record<string, Json> } {
  const text = model.metadataProps.find(({ key }) => key === "nasty.history")?.value ?? "{}";
  return JSON.parse(text).steps.at(-1);
}
