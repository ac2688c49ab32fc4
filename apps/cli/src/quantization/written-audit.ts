import { type Audit, auditModel, RuntimeError } from "@nasty/runtime";

/** Why there is no audit, for the person who sees none. */
export const noAudit = "not audited: only the native library of onnxruntime-node tells what it executes";

/** What the runtime executes of a file; null on WebAssembly, which does not tell. */
export async function auditWritten(path: string, threads: number): Promise<Audit | null> {
  try {
    return await auditModel(path, { threads });
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "needs-native") return null;
    throw error;
  }
}
