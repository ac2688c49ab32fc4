import { access, stat } from "node:fs/promises";
import { constants } from "node:fs";
import { type ModelProto, serializeModel } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { requireDevice } from "./devices.js";
import { loadNodeRuntime } from "./node-runtime.js";
import { RuntimeError } from "./runtime-error.js";
import type { Session, SessionOptions } from "./session.js";
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

/**
 * Opens a session on onnxruntime-node.
 *
 * @param model a path (external data is found beside the file; `.gz` and `.br` are unpacked), bytes, or a parsed model
 * @param options see {@link SessionOptions}; one thread and every optimization unless told otherwise
 * @throws RuntimeError `not-found`, `not-a-model`, `unsupported-model` (IR version or opset), `unsupported-operator`,
 *   `unsupported-type`, `device-unavailable`, `invalid-option`, `no-runtime`, `load-failed`.
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
  const [ort, { content, where }] = await Promise.all([loadNodeRuntime(), resolveModel(model)]);
  requireDevice(ort, options.device ?? "cpu");
  return createSession(ort, content, { where, options: ortOptions, read: readModelFile, writesInto: true });
};
