import type { ModelProto } from "@nasty/formats/onnx";
import {
  type EngineName,
  engineVersion,
  openSession,
  type Session,
  type SessionOptions,
} from "@nasty/runtime";

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

const engineOf = (name: EngineName): Engine => ({
  name,
  version: () => engineVersion(name),
  open: (model, options) => openSession(model, { ...options, engine: name }),
});

/** Every engine that this machine may have; the first is the one that programs and the command run models on. */
export const usualEngines: readonly Engine[] = [engineOf("native"), engineOf("wasm"), engineOf("portable")];

/** What computes originals: the engine that the process computes everything with. */
export const originalEngine: Engine = {
  name: "original",
  version: () => engineVersion(),
  open: (model, options) => openSession(model, options),
};
