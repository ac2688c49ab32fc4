import type { ModelProto } from "@nasty/formats/onnx";
import { engineVersion, openSession, type Session, type SessionOptions } from "@nasty/runtime";

/** Something that runs model files. */
export interface Engine {
  readonly name: string;
  /**
   * Its version, for what is known of versions.
   *
   * @throws whatever says, in its message, why the engine is not at hand
   */
  version(): Promise<string>;
  /** @throws RuntimeError for a model that it cannot run */
  open(model: ModelProto | string, options: Pick<SessionOptions, "threads">): Promise<Session>;
}

const onnxRuntime = (name: "native" | "wasm"): Engine => ({
  name,
  version: () => engineVersion(name),
  open: (model, options) => openSession(model, { ...options, engine: name }),
});

/** What `@nasty/portable` has of the interface of `@nasty/runtime`. */
interface PortableModule {
  readonly version: string;
  openSession(model: ModelProto | string, options: Pick<SessionOptions, "threads">): Promise<Session>;
}

const portablePackage = "@nasty/portable";

const importPortable = async (): Promise<PortableModule> => {
  try {
    // By a name that bundlers and compilers do not follow: the package is optional.
    return (await import(portablePackage)) as PortableModule;
  } catch (cause) {
    throw new Error(`${portablePackage} is not installed`, { cause });
  }
};

const portable: Engine = {
  name: "portable",
  version: async () => (await importPortable()).version,
  open: async (model, options) => (await importPortable()).openSession(model, options),
};

/** Every engine that this machine may have; the first is the one that programs and the command run models on. */
export const usualEngines: readonly Engine[] = [onnxRuntime("native"), onnxRuntime("wasm"), portable];

/** What computes originals: the engine that the process computes everything with. */
export const originalEngine: Engine = {
  name: "original",
  version: () => engineVersion(),
  open: (model, options) => openSession(model, options),
};
