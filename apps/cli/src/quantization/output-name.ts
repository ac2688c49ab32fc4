import { basename, dirname, join, resolve } from "node:path";
import { uncompressedName } from "@nasty/formats/archive";

/** What the name of a file says about how it was made. */
export interface Treatment {
  readonly mode: "static" | "dynamic" | "int4" | "weight-only" | "mixed";
  readonly method: string;
}

/** `int8_percentile`, `int8_dynamic`, `int8_weights`, `int4`. */
export function suffixOf({ mode, method }: Treatment): string {
  switch (mode) {
    case "static":
      return `int8_${method}`;
    case "dynamic":
      return "int8_dynamic";
    case "weight-only":
      return "int8_weights";
    case "int4":
      return "int4";
    case "mixed":
      return "mixed";
    default:
      return mode satisfies never;
  }
}

/** The name beside the input that says how the file was made: `pos_v1.onnx` → `pos_v1_int8_percentile.onnx`. */
export function defaultOutput(modelPath: string, treatment: Treatment): string {
  const absolute = resolve(modelPath);
  const stem = uncompressedName(basename(absolute))
    .replace(/\.onnx$/i, "")
    .replace(/_fp32$/, "");
  return join(dirname(absolute), `${stem}_${suffixOf(treatment)}.onnx`);
}
