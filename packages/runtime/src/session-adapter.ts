import type { Tensor } from "@nasty/core";
import { type ModelProto, parseModel, serializeModel } from "@nasty/formats/onnx";
import { checkFeeds, checkOut, checkOutputs } from "./check-feeds.js";
import { carryAsBytes, type FourBitValues, isFourBit, packed, unpacked } from "./four-bit-values.js";
import { toLoadError, toRunError } from "./native-error.js";
import type { OrtModule, OrtSession, OrtSessionOptions, OrtTensor, OrtValueMetadata } from "./ort-module.js";
import { RuntimeError } from "./runtime-error.js";
import type { EngineName, RunOptions, Session, ValueInfo } from "./session.js";
import { fromOrtTensor, toOrtTensor, toValueInfo } from "./tensor-conversion.js";

/** Tensors that results are written into, by output name. */
type Out = Readonly<Record<string, Tensor>>;

interface Conversion {
  readonly fourBit: FourBitValues;
  /** Whether the runtime wrote into the tensors that it was given; otherwise results are copied. */
  readonly writesInto: boolean;
}

/** How a session says what computes. */
interface Named {
  readonly engine: EngineName;
}

const copiedInto = (given: Tensor, { shape, data }: Tensor, name: string): Tensor => {
  if (data.length !== given.data.length) {
    throw new Error(
      `output ${name}: expected shape [${given.shape.join(", ")}] of \`out\`, got [${shape.join(", ")}]`,
    );
  }
  (given.data as Uint8Array).set(data as Uint8Array);
  return given;
};

/** Values by a name that a model chose, which may be that of something objects have: `constructor`, `__proto__`. */
const byName = <T>(): Record<string, T> => Object.create(null) as Record<string, T>;

const ownOf = (out: Out, name: string): Tensor | undefined =>
  Object.hasOwn(out, name) ? out[name] : undefined;

const convertOutputs = async (
  results: Readonly<Record<string, unknown>>,
  wanted: readonly string[],
  { fourBit, out, writesInto }: Conversion & { readonly out: Out },
): Promise<Record<string, Tensor>> => {
  const outputs = byName<Tensor>();
  for (const name of wanted) {
    const given = ownOf(out, name);
    if (given !== undefined && writesInto) {
      outputs[name] = given;
      continue;
    }
    const value = results[name] as OrtTensor;
    // Data that is on a device is fetched first; on the CPU this is the tensor's own memory.
    if (value.location !== "cpu" && value.location !== "cpu-pinned") await value.getData(true);
    const result = packed(fromOrtTensor(value), fourBit.get(name));
    outputs[name] = given === undefined ? result : copiedInto(given, result, name);
  }
  return outputs;
};

const wrap = (
  ort: OrtModule,
  native: OrtSession,
  { fourBit, writesInto, engine }: Conversion & Named,
): Session => {
  const described = (metadata: OrtValueMetadata, role: "input" | "output"): ValueInfo => {
    const info = toValueInfo(metadata, role);
    return { ...info, dtype: fourBit.get(info.name) ?? info.dtype };
  };
  const inputs = native.inputMetadata.map((metadata) => described(metadata, "input"));
  const outputs = native.outputMetadata.map((metadata) => described(metadata, "output"));
  const allOutputs = outputs.map((output) => output.name);
  const pending = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const compute = async (
    feeds: Readonly<Record<string, Tensor>>,
    wanted: readonly string[],
    out: Out,
  ): Promise<Record<string, Tensor>> => {
    const ortFeeds = byName<OrtTensor>();
    for (const [name, feed] of Object.entries(feeds)) ortFeeds[name] = toOrtTensor(ort, unpacked(feed));
    const fetches = byName<OrtTensor | null>();
    for (const name of wanted) {
      const given = writesInto ? ownOf(out, name) : undefined;
      fetches[name] = given === undefined ? null : toOrtTensor(ort, given);
    }
    try {
      const results = await native.run(ortFeeds, fetches, { logSeverityLevel: 4 });
      return await convertOutputs(results, wanted, { fourBit, out, writesInto });
    } catch (cause) {
      throw toRunError(cause);
    }
  };

  return {
    inputs,
    outputs,
    engine,
    async run(feeds, wanted = allOutputs, { out = {} }: RunOptions = {}) {
      if (closing !== undefined) {
        throw new RuntimeError("closed", "run: session: state: expected an open session, got a closed one");
      }
      checkFeeds(inputs, feeds);
      checkOutputs(outputs, wanted);
      checkOut(outputs, wanted, out);
      if (wanted.length === 0) return {};
      const running = compute(feeds, wanted, out);
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

const fourBitValuesOf = (native: OrtSession): FourBitValues =>
  new Map(
    [...native.inputMetadata, ...native.outputMetadata].flatMap((metadata) =>
      metadata.isTensor && isFourBit(metadata.type) ? [[metadata.name, metadata.type] as const] : [],
    ),
  );

/**
 * Opens a session on any ONNX Runtime package.
 *
 * @param model a path or URL that the runtime can read itself, or the bytes of a model
 * @param where how messages name the model
 * @param read reads the model where it is given by a path; needed for one with 4-bit inputs or outputs only
 * @param engine what the session says that it is; `wasm` unless told otherwise
 * @param writesInto whether the runtime writes into tensors that it is given (the web's says so, but leaves those of
 *   the CPU as they were); otherwise results are copied into them
 * @throws RuntimeError as `openSession`.
 */
export const createSession = async (
  ort: OrtModule,
  model: string | Uint8Array,
  {
    where,
    options,
    read,
    engine = "wasm",
    writesInto = false,
  }: {
    where: string;
    options: OrtSessionOptions;
    read?: (path: string) => Promise<ModelProto>;
    engine?: EngineName;
    writesInto?: boolean;
  },
): Promise<Session> => {
  let native = await create(ort, model, where, options);
  const fourBit = fourBitValuesOf(native);
  if (fourBit.size > 0 && (read !== undefined || typeof model !== "string")) {
    await native.release();
    const parsed = typeof model === "string" ? await read?.(model) : parseModel(model);
    const carried = carryAsBytes(parsed as ModelProto, fourBit);
    native = await create(ort, serializeModel(carried), where, options);
  }
  try {
    return wrap(ort, native, { fourBit, writesInto, engine });
  } catch (error) {
    await native.release();
    throw error;
  }
};

const create = async (
  ort: OrtModule,
  model: string | Uint8Array,
  where: string,
  options: OrtSessionOptions,
): Promise<OrtSession> => {
  try {
    // The overloads take a path or bytes, not the union of both.
    return await ort.InferenceSession.create(model as string, options);
  } catch (cause) {
    throw toLoadError(cause, where);
  }
};
