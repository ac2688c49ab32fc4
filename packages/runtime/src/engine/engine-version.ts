// A file of its own: the declarations of the package's entry name nothing of ONNX Runtime's own types.
import { versionOf } from "../package-version.js";
import type { EngineName } from "../session.js";
import { loadEngine } from "./engine.js";

/**
 * The version of an engine: of ONNX Runtime, or of `@nasty/portable`.
 *
 * @param option the engine; without it the one that `openSession` takes by itself
 * @throws RuntimeError `no-runtime` where the engine cannot be loaded, saying why and what to install
 * @example await engineVersion("native"); // "1.30.0"
 */
export const engineVersion = async (option?: EngineName): Promise<string> => {
  const engine = await loadEngine(option);
  if (engine.name === "portable") return versionOf("@nasty/portable") ?? "unknown";
  const { common, node, web } = engine.ort.env.versions;
  return (engine.name === "native" ? node : web) ?? common;
};
