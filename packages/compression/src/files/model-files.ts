import type { Tensor } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { openSession, type ModelSource, type Session, type SessionOptions } from "@nasty/runtime";

/**
 * Writes a quantized model as an ONNX file, atomically: `writeModelFile` of `@nasty/formats/onnx/node` under the
 * guide's name.
 *
 * @example await save(await int8.quantize(model, options), "tagger_int8_minmax.onnx")
 */
export async function save(
  model: ModelProto,
  path: string,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  // Looked for when it is called: in a browser everything else works without it.
  const { writeModelFile } = await import("@nasty/formats/onnx/node");
  return writeModelFile(path, model);
}

/**
 * Opens a quantized model, a file or one in memory: `openSession` of `@nasty/runtime` under the guide's name.
 *
 * @example const session = await load("tagger_int8_minmax.onnx")
 */
export function load(model: ModelSource, options?: SessionOptions): Promise<Session> {
  return openSession(model, options);
}

/**
 * Runs an open model once.
 *
 * @param feeds tensors by input name
 * @returns tensors by output name
 * @example const { logits } = await predict(session, { input_ids, attention_mask })
 */
export function predict(
  session: Session,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  return session.run(feeds);
}
