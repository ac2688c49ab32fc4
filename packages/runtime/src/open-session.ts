import { access, stat } from "node:fs/promises";
import { constants } from "node:fs";
import { type ModelProto, serializeModel } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { type Engine, loadEngine } from "./engine/engine.js";
import { RuntimeError } from "./runtime-error.js";
import type { Device, Session, SessionOptions } from "./session.js";
import { createSession } from "./session-adapter.js";
import { toOrtOptions } from "./session-options.js";

/** A model to open: the path of a file, the bytes of one, or a parsed model. */
export type ModelSource = string | Uint8Array | ModelProto;

const checkFile = async (path: string): Promise<void> => {
  try {
    const found = await stat(path);
    if (!found.isFile()) {
      throw new RuntimeError("not-found", `openSession: ${path}: path: expected a file, got a directory`);
    }
    await access(path, constants.R_OK);
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    const { code = "an error" } = cause as NodeJS.ErrnoException;
    throw new RuntimeError("not-found", `openSession: ${path}: file: expected a readable file, got ${code}`, {
      cause,
    });
  }
};

/** What the runtime can open itself, and how messages name it. */
export const resolveModel = async (
  model: ModelSource,
): Promise<{ readonly content: string | Uint8Array; readonly where: string }> => {
  if (typeof model === "string") {
    await checkFile(model);
    // The runtime maps weights and external data from the file itself; only compressed files come through us.
    const content = /\.(?:gz|br)$/.test(model) ? serializeModel(await readModelFile(model)) : model;
    return { content, where: model };
  }
  if (model instanceof Uint8Array) return { content: model, where: "model bytes" };
  return { content: serializeModel(model), where: `model ${model.graph?.name || "(unnamed)"}` };
};

/** WebAssembly has no files: the whole model is handed over, with its external data. */
const resolveForWasm = async (
  model: ModelSource,
): Promise<{ readonly content: Uint8Array; readonly where: string }> => {
  if (typeof model !== "string") {
    const { content, where } = await resolveModel(model);
    return { content: content as Uint8Array, where };
  }
  await checkFile(model);
  return { content: serializeModel(await readModelFile(model)), where: model };
};

/** @throws RuntimeError `device-unavailable` naming the devices that the engine was built for. */
const deviceOn = ({ name, devices }: Engine, device: Device = "cpu"): Device => {
  // WebAssembly computes on the CPU, under a name of its own.
  if (name === "wasm" && device === "cpu") return "wasm";
  if (devices.includes(device)) return device;
  throw new RuntimeError(
    "device-unavailable",
    `openSession: device: expected one of ${devices.join(", ")}, got ${device}`,
  );
};

const openOnWasm = async (engine: Engine, model: ModelSource, options: SessionOptions): Promise<Session> => {
  if (options.optimizedModelPath !== undefined) {
    throw new RuntimeError(
      "needs-native",
      "openSession: optimizedModelPath: expected onnxruntime-node, which writes the optimized graph, got the WebAssembly build",
    );
  }
  const ortOptions = toOrtOptions({ ...options, device: deviceOn(engine, options.device) }, "wasm");
  const { content, where } = await resolveForWasm(model);
  return createSession(engine.ort, content, { where, options: ortOptions });
};

/**
 * Opens a session on ONNX Runtime: its native library (`onnxruntime-node`) or, where that is missing, its WebAssembly
 * build (`onnxruntime-web`), see {@link SessionOptions.engine}.
 *
 * @param model a path (external data is found beside the file; `.gz` and `.br` are unpacked), bytes, or a parsed model
 * @param options see {@link SessionOptions}; one thread and every optimization unless told otherwise
 * @throws RuntimeError `not-found`, `not-a-model`, `unsupported-model` (IR version or opset), `unsupported-operator`,
 *   `unsupported-type`, `device-unavailable`, `invalid-option`, `no-runtime`, `needs-native`, `load-failed`.
 *
 * @example
 * ```ts
 * const session = await openSession("tagger.onnx", { threads: 2 });
 * session.inputs; // [{ name: "input_ids", dtype: "int64", shape: ["batch", "sequence"] }]
 * await session.close();
 * ```
 */
export const openSession = async (model: ModelSource, options: SessionOptions = {}): Promise<Session> => {
  const ortOptions = toOrtOptions(options, "cpu");
  const engine = await loadEngine(options.engine);
  if (engine.name === "wasm") return openOnWasm(engine, model, options);
  deviceOn(engine, options.device);
  const { content, where } = await resolveModel(model);
  return createSession(engine.ort, content, {
    where,
    options: ortOptions,
    read: readModelFile,
    writesInto: true,
  });
};
