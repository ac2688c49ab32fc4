/** Why there is no audit, for the person who sees none. */
export const noAudit = "not audited: only the native library of onnxruntime-node tells what it executes";
