import type { TensorFlow } from "../tensorflow.js";
import { TfjsError } from "../../tfjs-error.js";
import type { BackendName } from "./backend-name.js";
import { repairUtil } from "./repair-util.js";
import { registerWasmKernels } from "./wasm-kernels.js";

export interface Backend {
  readonly tf: TensorFlow;
  readonly name: BackendName;
  /** Why a better backend is not used, one sentence each. */
  readonly notes: readonly string[];
  /** Makes it the one that operations run on; TensorFlow.js has one at a time for the whole process. */
  activate(): Promise<void>;
}

/** Imports an optional package; replaced in tests. */
export type ImportModule = (name: string) => Promise<unknown>;

const core = "@tensorflow/tfjs-core";
// Its import registers the gradients of all operations; on Node nothing smaller does.
const gradients = "@tensorflow/tfjs-layers";
const cpu = "@tensorflow/tfjs-backend-cpu";
const wasm = "@tensorflow/tfjs-backend-wasm";
const native = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

/** Literal names, so that bundlers see them; the native library is for Node alone and must stay out of bundles. */
const importInstalled: ImportModule = (name) => {
  switch (name) {
    case core:
      return import("@tensorflow/tfjs-core");
    case gradients:
      return import("@tensorflow/tfjs-layers");
    case cpu:
      return import("@tensorflow/tfjs-backend-cpu");
    case wasm:
      return import("@tensorflow/tfjs-backend-wasm");
    default:
      return import(name);
  }
};

/**
 * Loads the backend asked for, or the fastest that is installed: native, WebAssembly, JavaScript.
 *
 * @throws TfjsError `not-installed` saying what to install, `backend-unavailable` for a package that is installed but
 *   does not load
 */
export async function loadBackend(
  wanted?: BackendName,
  importModule: ImportModule = importInstalled,
): Promise<Backend> {
  const notes: string[] = [];
  let missing: TfjsError | undefined;
  for (const name of wanted === undefined ? (["node", "wasm", "cpu"] as const) : [wanted]) {
    try {
      const { tf, backend } = await load(name, importModule);
      return { tf, name, notes, activate: () => activate(tf, backend) };
    } catch (error) {
      if (!(error instanceof TfjsError)) throw error;
      // A package that nobody installed needs no excuse; one that does not load does.
      if (wanted !== undefined) throw error;
      if (error.code !== "not-installed") notes.push(error.message);
      missing ??= error;
    }
  }
  throw new TfjsError(
    "not-installed",
    `tensorflowEngine: backend: expected TensorFlow.js, got none: ${advice.wasm} (or @tensorflow/tfjs-node for the native library)`,
    { cause: missing },
  );
}

const advice: Readonly<Record<BackendName, string>> = {
  node: "npm install @tensorflow/tfjs-node",
  wasm: `npm install ${core} ${gradients} ${cpu} ${wasm}`,
  cpu: `npm install ${core} ${gradients} ${cpu}`,
};

interface Loaded {
  readonly tf: TensorFlow;
  /** As TensorFlow.js names it. */
  readonly backend: string;
}

async function load(name: BackendName, importModule: ImportModule): Promise<Loaded> {
  const get = (module: string): Promise<unknown> => imported(name, module, importModule);
  switch (name) {
    case "node": {
      await repairUtil();
      const tf = await nativeModule(importModule);
      await activate(tf, "tensorflow");
      return { tf, backend: "tensorflow" };
    }
    case "wasm": {
      const tf = (await get(core)) as TensorFlow;
      await quietly(tf, async () => {
        await get(gradients);
        await get(wasm);
      });
      registerWasmKernels(tf);
      await activate(tf, "wasm");
      return { tf, backend: "wasm" };
    }
    case "cpu": {
      const tf = (await get(core)) as TensorFlow;
      await quietly(tf, async () => {
        await get(gradients);
        await get(cpu);
        await activate(tf, "cpu");
        tf.scalar(0).dispose();
      });
      return { tf, backend: "cpu" };
    }
    default: {
      const unreachable: never = name;
      throw new TypeError(`loadBackend: ${String(unreachable)}`);
    }
  }
}

/** The GPU build if there is one, else the CPU build. */
async function nativeModule(importModule: ImportModule): Promise<TensorFlow> {
  let failure: unknown;
  for (const module of native) {
    try {
      return (await imported("node", module, importModule)) as TensorFlow;
    } catch (error) {
      const isAbsent = error instanceof TfjsError && error.code === "not-installed";
      if (failure === undefined || !isAbsent) failure = error;
    }
  }
  throw failure;
}

/** A module's exports, whether it came as CommonJS or not. */
async function imported(backend: BackendName, name: string, importModule: ImportModule): Promise<unknown> {
  let module: { readonly default?: unknown };
  try {
    module = (await importModule(name)) as typeof module;
  } catch (cause) {
    if (isAbsent(cause, name)) {
      throw new TfjsError(
        "not-installed",
        `tensorflowEngine: backend ${backend}: expected the package ${name}, got none: ${advice[backend]}`,
        { cause },
      );
    }
    const reason = String((cause as Error)?.message ?? cause).split("\n")[0];
    throw new TfjsError(
      "backend-unavailable",
      `tensorflowEngine: backend ${backend}: expected ${name} to load, got ${JSON.stringify(reason)}`,
      { cause },
    );
  }
  return module.default ?? module;
}

/** True if the package itself is not there, false if it lacks something. */
function isAbsent(error: unknown, name: string): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return (
    (code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND") && String(message).includes(`'${name}'`)
  );
}

async function activate(tf: TensorFlow, backend: string): Promise<void> {
  if (tf.getBackend() === backend) return;
  if (await tf.setBackend(backend)) return;
  throw new TfjsError(
    "backend-unavailable",
    `tensorflowEngine: backend ${backend}: expected it to start, got a failure of its initialisation`,
  );
}

/**
 * Without what TensorFlow.js prints on its way: that a platform is set twice, and an advertisement at the first tensor
 * of the JavaScript backend. Production mode is silent.
 */
async function quietly(tf: TensorFlow, work: () => Promise<void>): Promise<void> {
  const before = tf.env().getBool("PROD");
  tf.env().set("PROD", true);
  try {
    await work();
  } finally {
    tf.env().set("PROD", before);
  }
}
