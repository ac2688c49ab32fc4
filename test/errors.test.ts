import { expect, test } from "vitest";
import { NastyError } from "../packages/core/src/index.js";

/** The entry point of each package that exports its class of errors, and one of its codes. */
const classes = [
  ["core", "index.js", "CoreError", "shape"],
  ["formats", "conllu/index.js", "FormatError", "syntax"],
  ["formats", "onnx/index.js", "FormatError", "protobuf"],
  ["graph", "index.js", "GraphError", "cycle"],
  ["runtime", "index.js", "RuntimeError", "closed"],
  ["calibration", "index.js", "CalibrationError", "nan"],
  ["training", "index.js", "TrainingError", "no-match"],
  ["taggers", "index.js", "TaggerError", "words"],
  ["compression", "index.js", "CompressionError", "unsupported"],
  ["engine-tfjs", "index.js", "TfjsError", "not-installed"],
  ["engine-tfjs", "layers-model/index.js", "TfjsError", "missing-weight"],
] as const;

interface ErrorClass {
  new (code: string, message: string, fields?: Readonly<Record<string, unknown>>): NastyError;
}

test.each(classes)("%s (%s): %s is a NastyError", async (name, entry, className, code) => {
  const url = new URL(`../packages/${name}/src/${entry.replace(".js", ".ts")}`, import.meta.url);
  const exports: Record<string, unknown> = await import(/* @vite-ignore */ url.href);
  const Class = exports[className] as ErrorClass;
  const cause = new Error("underneath");
  const error = new Class(code, "a message", { cause, node: "n", line: 3 });
  expect(error).toBeInstanceOf(NastyError);
  expect(error).toMatchObject({ name: className, message: "a message", kind: "input", code, cause });
  expect(error.fields).toEqual({ cause, node: "n", line: 3 });
  expect(Object.hasOwn(new Class(code, "m"), "cause")).toBe(false);
});
