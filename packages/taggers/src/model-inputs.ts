import { dtypeOf, type ModelProto, type ValueInfoProto } from "@nasty/formats/onnx";
import type { ValueInfo } from "@nasty/runtime";

/** The inputs of a model as a session of it would say them: what its graph declares, without what it has values for. */
export function inputsOf({ graph }: ModelProto): readonly ValueInfo[] {
  const constants = new Set(graph?.initializer.map(({ name }) => name));
  const inputs = graph?.input.filter(({ name }) => !constants.has(name)) ?? [];
  return infosOf(inputs);
}

/** Declared values as a session would say them. */
export function infosOf(values: readonly ValueInfoProto[]): ValueInfo[] {
  return values.map(({ name, type }): ValueInfo => {
    const declared = type?.value.case === "tensorType" ? type.value.value : undefined;
    const shape = declared?.shape?.dim.map(({ value }) => sizeOf(value.value)) ?? [];
    return { name, dtype: dtypeOf(declared?.elemType ?? 0), shape };
  });
}

/** A number, the name of what varies, or "" where nothing is said; some exporters write −1 for that. */
function sizeOf(size: bigint | string | undefined): number | string {
  return typeof size === "bigint" ? (size >= 0n ? Number(size) : "") : (size ?? "");
}
