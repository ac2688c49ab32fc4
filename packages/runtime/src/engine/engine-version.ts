// A file of its own: the declarations of the package's entry name nothing of ONNX Runtime's own types.
import type { EngineName } from "../session.js";
import { loadEngine } from "./engine.js";

/**
 * The version of ONNX Runtime that an engine is.
 *
 * @param option the engine; without it the one that `openSession` takes by itself
 * @throws RuntimeError `no-runtime` where the engine cannot be loaded, saying why and what to install
 * @example await engineVersion("native"); // "1.30.0"
 */
export const engineVersion = async (option?: EngineName): Promise<string> => {
  const { name, ort } = await loadEngine(option);
  const { common, node, web } = ort.env.versions;
  return (name === "native" ? node : web) ?? common;
};
