import { dirname } from "node:path";
import { type Audit, auditModel, openSession, RuntimeError, type Session } from "@nasty/runtime";

/** Why there is no audit, for the person who sees none. */
export const noAudit = "not audited: only the native library of onnxruntime-node tells what it executes";

/**
 * What the runtime executes of a file; null on WebAssembly, which does not tell.
 *
 * @param path a file that was written just now: beside it is room for another of its size
 * @param use runs the file in the session that is audited
 */
export async function auditWritten(
  path: string,
  threads: number,
  use: (session: Session) => Promise<void> = async () => {},
): Promise<Audit | null> {
  try {
    return await auditModel(path, { threads, use, folder: dirname(path) });
  } catch (error) {
    if (!(error instanceof RuntimeError && error.code === "needs-native")) throw error;
    const session = await openSession(path, { threads });
    try {
      await use(session);
    } finally {
      await session.close();
    }
    return null;
  }
}
