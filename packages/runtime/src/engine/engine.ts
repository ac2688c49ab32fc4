import { RuntimeError } from "../runtime-error.js";
import type { Device, EngineName } from "../session.js";
import { loadNative, nativePackage } from "./native.js";
import { publishNotice } from "./notice.js";
import type { RuntimeModule } from "./runtime-module.js";
import { loadWasm, wasmPackage } from "./wasm.js";

/** A loaded ONNX Runtime. */
export interface OrtEngine {
  readonly name: "native" | "wasm";
  readonly ort: RuntimeModule;
  /** Those that the runtime was built for; the first is the one taken unless another is asked for. */
  readonly devices: readonly Device[];
}

/** The engine of `@nasty/portable`. */
export interface PortableEngine {
  readonly name: "portable";
  readonly devices: readonly Device[];
  /** Loads what runs a model with operators that this engine lacks; undefined where this very engine was asked for. */
  readonly otherwise: (() => Promise<OrtEngine>) | undefined;
}

export type Engine = OrtEngine | PortableEngine;

/** The environment variable that chooses the engine of a process. */
const engineVariable = "NASTY_ENGINE";

const engineNames: readonly EngineName[] = ["native", "wasm", "portable"];

/**
 * What to do where the native library is missing. The install script that this skips only fetches libraries for GPUs.
 */
const installAdvice =
  "for the native library run: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node";

const loaders: Readonly<Record<OrtEngine["name"], () => Promise<Omit<OrtEngine, "name">>>> = {
  native: loadNative,
  wasm: loadWasm,
};
const loading = new Map<OrtEngine["name"], Promise<OrtEngine>>();

/** WebAssembly computes on the CPU, under a name of its own. */
const portableDevices: readonly Device[] = ["wasm"];

const load = (name: OrtEngine["name"]): Promise<OrtEngine> => {
  const begun = loading.get(name) ?? loaders[name]().then((loaded) => ({ name, ...loaded }));
  loading.set(name, begun);
  // Someone may install the package while the process runs.
  begun.catch(() => loading.delete(name));
  return begun;
};

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] as string;

/** Why the native library is not there, in words. */
const reasonOf = (error: unknown): string => {
  const { code } = error as { readonly code?: unknown };
  return code === "ERR_MODULE_NOT_FOUND" || /Cannot find (?:module|package)/.test(firstLine(error))
    ? `${nativePackage} is not installed`
    : `${nativePackage} has no library that loads on ${process.platform} ${process.arch} (${firstLine(error)})`;
};

const missing = (name: OrtEngine["name"], cause: unknown): RuntimeError =>
  new RuntimeError(
    "no-runtime",
    name === "native"
      ? `openSession: engine native: library: expected one for ${process.platform} ${process.arch}, got none: ${reasonOf(cause)}; ${installAdvice}`
      : `openSession: engine wasm: package: expected ${wasmPackage}, got: ${firstLine(cause)}; install it with: npm install ${wasmPackage}`,
    { cause },
  );

const checkedName = (name: string, where: string): EngineName => {
  const known = engineNames.find((one) => one === name);
  if (known !== undefined) return known;
  throw new RuntimeError(
    "invalid-option",
    `openSession: ${where}: expected one of ${engineNames.join(", ")}, got ${name}`,
  );
};

/** The engine that was asked for: by the option, by the variable, or none. */
const wantedEngine = (option: EngineName | undefined): EngineName | undefined => {
  if (option !== undefined) return checkedName(option, "engine");
  const variable = process.env[engineVariable];
  return variable === undefined || variable === "" ? undefined : checkedName(variable, engineVariable);
};

const nativeOrFallback = async (): Promise<Engine> => {
  try {
    return await load("native");
  } catch (cause) {
    const reason = reasonOf(cause);
    publishNotice({
      engine: "portable",
      reason,
      message: `${reason}, so the portable engine computes, more slowly; ${installAdvice}`,
    });
    return {
      name: "portable",
      devices: portableDevices,
      otherwise: () =>
        load("wasm").catch(() => {
          throw missing("native", cause);
        }),
    };
  }
};

/** The one engine of the process where nobody asks for another: it does not change once a session was opened. */
let usual: Promise<Engine> | undefined;

/**
 * Loads ONNX Runtime on first use, so that importing this package costs nothing: the native library, or, where there is
 * none, the portable engine, which is said on the channel of notices.
 *
 * @param option the engine to take; otherwise that of `NASTY_ENGINE`
 * @throws RuntimeError `no-runtime` where what was asked for cannot be loaded; `invalid-option` for an unknown name.
 */
export const loadEngine = async (option?: EngineName): Promise<Engine> => {
  const wanted = wantedEngine(option);
  if (wanted === "portable") return { name: "portable", devices: portableDevices, otherwise: undefined };
  if (wanted !== undefined) {
    return load(wanted).catch((cause: unknown) => {
      throw missing(wanted, cause);
    });
  }
  usual ??= nativeOrFallback();
  usual.catch(() => {
    usual = undefined;
  });
  return usual;
};
