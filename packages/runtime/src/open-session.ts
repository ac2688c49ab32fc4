import { access, stat } from "node:fs/promises";
import { constants } from "node:fs";
import { type ModelProto, serializeModel } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { type Engine, loadEngine, type OrtEngine, type PortableEngine } from "./engine/engine.js";
import { noteEngine } from "./engine/in-use.js";
import { isUnsupported, openPortable } from "./engine/portable.js";
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
  return { content: model instanceof Uint8Array ? model : serializeModel(model), where: whereOf(model) };
};

const whereOf = (model: Uint8Array | ModelProto): string =>
  model instanceof Uint8Array ? "model bytes" : `model ${model.graph?.name || "(unnamed)"}`;

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
  if (name !== "native" && device === "cpu") return "wasm";
  if (devices.includes(device)) return device;
  throw new RuntimeError(
    "device-unavailable",
    `openSession: device: expected one of ${devices.join(", ")}, got ${device}`,
  );
};

const checkNoOptimizedModel = (engine: string, { optimizedModelPath }: SessionOptions): void => {
  if (optimizedModelPath === undefined) return;
  throw new RuntimeError(
    "needs-native",
    `openSession: optimizedModelPath: expected onnxruntime-node, which writes the optimized graph, got ${engine}`,
  );
};

const openOnWasm = async (
  engine: OrtEngine,
  model: ModelSource,
  options: SessionOptions,
): Promise<Session> => {
  checkNoOptimizedModel("the WebAssembly build", options);
  const ortOptions = toOrtOptions({ ...options, device: deviceOn(engine, options.device) }, "wasm");
  const { content, where } = await resolveForWasm(model);
  noteEngine("wasm");
  return createSession(engine.ort, content, { where, options: ortOptions, engine: "wasm" });
};

const openOnPortable = async (
  engine: PortableEngine,
  model: ModelSource,
  options: SessionOptions,
): Promise<Session> => {
  checkNoOptimizedModel("the portable engine", options);
  deviceOn(engine, options.device);
  const { model: parsed, where } = await parsedModel(model);
  try {
    return await openPortable(parsed, { where });
  } catch (error) {
    if (engine.otherwise === undefined || !isUnsupported(error)) throw error;
    return openOnWasm(await otherEngine(engine.otherwise, error), model, options);
  }
};

/** @throws RuntimeError what the portable engine said, with what to do, where there is no other engine */
const otherEngine = async (load: () => Promise<OrtEngine>, refusal: RuntimeError): Promise<OrtEngine> => {
  try {
    return await load();
  } catch (cause) {
    const advice = cause instanceof Error ? cause.message.split("; ").at(-1) : "";
    throw new RuntimeError(refusal.code, `${refusal.message}; ${advice}`, {
      ...refusal.fields,
      cause: refusal,
    });
  }
};

const parsedModel = async (
  model: ModelSource,
): Promise<{ readonly model: Uint8Array | ModelProto; readonly where: string }> => {
  if (typeof model !== "string") return { model, where: whereOf(model) };
  await checkFile(model);
  return { model: await readModelFile(model), where: model };
};

/**
 * Opens a session: on ONNX Runtime's native library (`onnxruntime-node`), or, where that is missing, on the portable
 * engine or ONNX Runtime's WebAssembly build (`onnxruntime-web`), see {@link SessionOptions.engine}.
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
  if (engine.name === "portable") return openOnPortable(engine, model, options);
  if (engine.name === "wasm") return openOnWasm(engine, model, options);
  deviceOn(engine, options.device);
  const { content, where } = await resolveModel(model);
  noteEngine("native");
  return createSession(engine.ort, content, {
    where,
    options: ortOptions,
    engine: "native",
    read: readModelFile,
    writesInto: true,
  });
};
