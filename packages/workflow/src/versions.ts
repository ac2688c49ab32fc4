import { readFileSync } from "node:fs";
import { environment } from "@nasty/runtime";

/** Versions that a written model records: this command's and the runtime's. */
export function versions(): Record<string, string> {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return { nasty: version, onnxruntime: environment().onnxruntime };
}
