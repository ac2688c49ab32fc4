import { FormatError, type ModelProto } from "@nasty/formats/onnx";
import type { PortableErrorCode, PortableModel } from "@nasty/portable";
import { checkFeeds, checkOut, checkOutputs } from "../check-feeds.js";
import { RuntimeError, type RuntimeErrorCode } from "../runtime-error.js";
import { noteEngine } from "./in-use.js";
import type { Session } from "../session.js";

const codes: Readonly<Record<PortableErrorCode, RuntimeErrorCode>> = {
  closed: "closed",
  "no-webassembly": "no-runtime",
  "not-a-model": "not-a-model",
  "out-of-memory": "run-failed",
  "run-failed": "run-failed",
  "unknown-output": "unknown-output",
  "unsupported-model": "unsupported-model",
  "unsupported-operator": "unsupported-operator",
  "unsupported-type": "unsupported-type",
  "wrong-feed": "wrong-shape",
};

/** What only a PortableError is; classes of two copies of a package are not the same. */
const isPortableError = (
  error: unknown,
): error is Error & {
  code: PortableErrorCode;
  fields: { node?: string; operator?: string; value?: string };
} => error instanceof Error && error.name === "PortableError";

const translated = (error: unknown, where?: string): unknown => {
  if (!isPortableError(error)) return error;
  const { code, message, fields } = error;
  const text =
    where === undefined
      ? message
      : message.replace(/^openModel: /, `openSession: engine portable: ${where}: `);
  return new RuntimeError(codes[code], text, {
    ...(fields.node !== undefined && { node: fields.node }),
    ...(fields.operator !== undefined && { operator: fields.operator }),
    ...(fields.value !== undefined && { value: fields.value }),
    cause: error,
  });
};

/** What the reader of ONNX files says of bytes that are none. */
const notAModel = (error: unknown, where: string): RuntimeError | undefined =>
  error instanceof FormatError
    ? new RuntimeError("not-a-model", `openSession: ${where}: ${error.message}`, { cause: error })
    : undefined;

/** Whether another engine may run what this one refused. */
export const isUnsupported = (error: unknown): error is RuntimeError =>
  error instanceof RuntimeError && error.code.startsWith("unsupported-");

/**
 * Opens a session on the portable engine.
 *
 * @param options `where`: how messages name the model; `kernels`: see `openModel` of @nasty/portable
 * @throws RuntimeError `unsupported-operator`, `unsupported-type`, `unsupported-model`, `not-a-model`, `no-runtime`
 */
export const openPortable = async (
  model: Uint8Array | ModelProto,
  { where, kernels }: { readonly where: string; readonly kernels?: object | undefined },
): Promise<Session> => {
  const { openModel } = await import("@nasty/portable");
  let opened: PortableModel;
  try {
    opened = await openModel(model, kernels === undefined ? {} : { kernels });
  } catch (error) {
    throw notAModel(error, where) ?? translated(error, where);
  }
  noteEngine("portable");
  return wrapped(opened);
};

const wrapped = (model: PortableModel): Session => {
  const { inputs, outputs } = model;
  const all = outputs.map(({ name }) => name);
  return {
    inputs,
    outputs,
    engine: "portable",
    async run(feeds, wanted = all, { out = {} } = {}) {
      try {
        checkFeeds(inputs, feeds);
        checkOutputs(outputs, wanted);
        checkOut(outputs, wanted, out);
        return model.run(feeds, wanted, out);
      } catch (error) {
        throw translated(error);
      }
    },
    async close() {
      model.close();
    },
  };
};
