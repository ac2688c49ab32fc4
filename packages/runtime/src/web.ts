// The browser's entry: nothing here may import Node's modules or onnxruntime-node.
import { type ModelProto, serializeModel } from "@nasty/formats/onnx";
import { noteEngine } from "./engine/in-use.js";
import { isUnsupported, openPortable } from "./engine/portable.js";
import { importOptional } from "./engine/runtime-module.js";
import type { OrtModule } from "./ort-module.js";
import { RuntimeError } from "./runtime-error.js";
import type { Session, SessionOptions } from "./session.js";
import { createSession } from "./session-adapter.js";
import { toOrtOptions } from "./session-options.js";

export type { OrtModule } from "./ort-module.js";
export { RuntimeError, type RuntimeErrorCode, type RuntimeErrorFields } from "./runtime-error.js";
export type { Device, Optimization, RunOptions, Session, SessionOptions, ValueInfo } from "./session.js";

/** Threads of WebAssembly are a setting of the whole page (`ort.env.wasm.numThreads`), so they are not options here. */
export interface WebSessionOptions
  extends Pick<SessionOptions, "optimization" | "device" | "execution" | "config"> {
  /**
   * The ONNX Runtime package to use. Without it that of {@link provideRuntime} is taken, or `onnxruntime-web` is
   * imported when the first session is opened, by its bare name: that works in Node, Deno and Bun and with an import
   * map. A bundled page passes it, and so decides which of the package's builds it carries.
   */
  readonly ort?: OrtModule;
  /**
   * `portable` for the engine of `@nasty/portable`, `wasm` for ONNX Runtime. Default: `wasm` with `ort` or after
   * {@link provideRuntime}, else `portable`, and `onnxruntime-web` for a model with operators that `portable` lacks.
   */
  readonly engine?: "portable" | "wasm";
  /**
   * The compiled kernels of the portable engine, for hosts that may not compile WebAssembly while they run: what
   * `import kernels from "@nasty/portable/kernels.wasm"` gives there. It chooses `portable`.
   */
  readonly kernels?: object;
}

let provided: OrtModule | undefined;

/**
 * Says which ONNX Runtime package this page runs models on, for every session that is opened without `ort`: those of
 * the packages that open sessions themselves, to calibrate or to measure drift, too.
 *
 * @example
 * ```ts
 * import * as ort from "onnxruntime-web/wasm";
 * provideRuntime(ort);
 * ```
 */
export const provideRuntime = (ort: OrtModule): void => {
  provided = ort;
};

const importRuntime = async (): Promise<OrtModule> => {
  try {
    return await importOptional("onnxruntime-web");
  } catch (cause) {
    throw new RuntimeError(
      "no-runtime",
      'openSession: onnxruntime-web: package: expected it to be passed as `ort` or found under its bare name, got neither; import * as ort from "onnxruntime-web/wasm" and pass { ort }, or call provideRuntime(ort) once',
      { cause },
    );
  }
};

/**
 * Opens a session on the portable engine, or on onnxruntime-web (or any package of ONNX Runtime with the same
 * interface), see {@link WebSessionOptions.engine}.
 *
 * @param model a URL, the bytes of a model, or a parsed model
 * @throws RuntimeError as `openSession` of the Node entry.
 *
 * @example
 * ```ts
 * import * as ort from "onnxruntime-web/wasm";
 * const session = await openSession(bytes, { ort });
 * ```
 */
export const openSession = async (
  model: string | Uint8Array | ModelProto,
  options: WebSessionOptions = {},
): Promise<Session> => {
  const { ort, kernels } = options;
  const engine = chosenEngine(options);
  const wanted = engine ?? (ort === undefined && provided === undefined ? undefined : "wasm");
  if (wanted === "wasm") return openOnWasm(model, options);
  try {
    return await openPortable(typeof model === "string" ? await fetched(model) : model, {
      where: whereOf(model),
      kernels,
    });
  } catch (error) {
    if (wanted === "portable" || !isUnsupported(error)) throw error;
    return openOnWasm(model, options);
  }
};

/** @throws RuntimeError `invalid-option` for kernels beside another engine than the one that they are of */
const chosenEngine = ({ engine, kernels, ort }: WebSessionOptions): WebSessionOptions["engine"] => {
  if (kernels === undefined) return engine;
  if (engine !== "wasm" && ort === undefined) return "portable";
  throw new RuntimeError(
    "invalid-option",
    `openSession: kernels: expected the portable engine with them, got ${engine === "wasm" ? "engine wasm" : "ort"}; leave one out`,
  );
};

const fetched = async (address: string): Promise<Uint8Array> => {
  try {
    const response = await fetch(address);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    throw new Error(`${response.status} ${response.statusText}`);
  } catch (cause) {
    throw new RuntimeError(
      "not-found",
      `openSession: ${address}: download: expected a model, got ${(cause as Error).message}`,
      { cause },
    );
  }
};

const whereOf = (model: string | Uint8Array | ModelProto): string =>
  typeof model === "string"
    ? model
    : model instanceof Uint8Array
      ? "model bytes"
      : `model ${model.graph?.name || "(unnamed)"}`;

const openOnWasm = async (
  model: string | Uint8Array | ModelProto,
  { ort, engine: _, kernels: _kernels, ...options }: WebSessionOptions,
): Promise<Session> => {
  const runtime = ort ?? provided ?? (await importRuntime());
  noteEngine("wasm");
  const content = typeof model === "string" || model instanceof Uint8Array ? model : serializeModel(model);
  return createSession(runtime, content, { where: whereOf(model), options: toOrtOptions(options, "wasm") });
};
