import type * as common from "onnxruntime-common";
import type { OrtModule } from "../ort-module.js";

/** What this package uses of `onnxruntime-node` and `onnxruntime-web` beyond what every package of ONNX Runtime has. */
export type RuntimeModule = OrtModule & Pick<typeof common, "env">;

type Namespace = Readonly<Record<string, unknown>>;

/**
 * The module's own object in what `import()` gave. Node puts the exports of a CommonJS module under `default` and those
 * names beside it that it sees in the text; loaders that compile modules themselves (tsx, jiti, Bun, bundlers) leave
 * `default` out, or nest a second one.
 */
export const runtimeModuleIn = (imported: unknown): RuntimeModule => {
  for (let found = imported, depth = 0; depth < 3 && found !== undefined; depth += 1) {
    if (typeof (found as Namespace).InferenceSession === "function") return found as RuntimeModule;
    found = (found as Namespace).default;
  }
  throw new TypeError(
    `exports: expected InferenceSession, got ${Object.keys(imported as Namespace).join(", ") || "none"}`,
  );
};

/**
 * Imports a package that may be missing. The name is not written where `import()` stands, so that bundlers do not
 * follow it: they could not carry a native library along, and a page that brings its own runtime would get a second
 * one.
 */
export const importOptional = async (name: string): Promise<RuntimeModule> =>
  runtimeModuleIn(await import(/* @vite-ignore */ /* webpackIgnore: true */ name));
