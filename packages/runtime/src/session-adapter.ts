import type { Tensor } from "@nasty/core";
import { checkFeeds, checkOutputs } from "./check-feeds.js";
import { toLoadError, toRunError } from "./native-error.js";
import type { OrtModule, OrtSession, OrtSessionOptions, OrtTensor } from "./ort-module.js";
import { RuntimeError } from "./runtime-error.js";
import type { Session } from "./session.js";
import { fromOrtTensor, toOrtTensor, toValueInfo } from "./tensor-conversion.js";

const convertOutputs = async (
  results: Readonly<Record<string, unknown>>,
  wanted: readonly string[],
): Promise<Record<string, Tensor>> => {
  const outputs: Record<string, Tensor> = {};
  for (const name of wanted) {
    const value = results[name] as OrtTensor;
    // Data that is on a device is fetched first; on the CPU this is the tensor's own memory.
    if (value.location !== "cpu" && value.location !== "cpu-pinned") await value.getData(true);
    outputs[name] = fromOrtTensor(value);
  }
  return outputs;
};

const wrap = (ort: OrtModule, native: OrtSession): Session => {
  const inputs = native.inputMetadata.map((metadata) => toValueInfo(metadata, "input"));
  const outputs = native.outputMetadata.map((metadata) => toValueInfo(metadata, "output"));
  const allOutputs = outputs.map((output) => output.name);
  const pending = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const compute = async (
    feeds: Readonly<Record<string, Tensor>>,
    wanted: readonly string[],
  ): Promise<Record<string, Tensor>> => {
    const ortFeeds: Record<string, OrtTensor> = {};
    for (const [name, feed] of Object.entries(feeds)) ortFeeds[name] = toOrtTensor(ort, feed);
    try {
      return await convertOutputs(await native.run(ortFeeds, wanted, { logSeverityLevel: 4 }), wanted);
    } catch (cause) {
      throw toRunError(cause);
    }
  };

  return {
    inputs,
    outputs,
    async run(feeds, wanted = allOutputs) {
      if (closing !== undefined) {
        throw new RuntimeError("closed", "run: session: state: expected an open session, got a closed one");
      }
      checkFeeds(inputs, feeds);
      checkOutputs(outputs, wanted);
      if (wanted.length === 0) return {};
      const running = compute(feeds, wanted);
      pending.add(running);
      try {
        return await running;
      } finally {
        pending.delete(running);
      }
    },
    close() {
      closing ??= Promise.allSettled(pending).then(() => native.release());
      return closing;
    },
  };
};

/**
 * Opens a session on any ONNX Runtime package.
 *
 * @param model a path or URL that the runtime can read itself, or the bytes of a model
 * @param where how messages name the model
 * @throws RuntimeError as `openSession`.
 */
export const createSession = async (
  ort: OrtModule,
  model: string | Uint8Array,
  { where, options }: { where: string; options: OrtSessionOptions },
): Promise<Session> => {
  let native: OrtSession;
  try {
    // The overloads take a path or bytes, not the union of both.
    native = await ort.InferenceSession.create(model as string, options);
  } catch (cause) {
    throw toLoadError(cause, where);
  }
  try {
    return wrap(ort, native);
  } catch (error) {
    await native.release();
    throw error;
  }
};
