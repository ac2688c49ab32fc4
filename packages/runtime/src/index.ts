export type { Audit, AuditedNode, KernelCount } from "./audit/audit.js";
export {
  type AuditedSession,
  type AuditOptions,
  auditModel,
  openAudited,
  type OpenAuditedOptions,
} from "./audit/audit-model.js";
export type { QdqRole } from "./audit/classify-qdq.js";
export type { KernelClass } from "./audit/kernel-classes.js";
export type { InstructionSet } from "./cpu-info.js";
export {
  availableDevices,
  chooseModel,
  gpuAvailable,
  type ModelChoice,
  type ModelPair,
  preferredPrecision,
} from "./devices.js";
export { engineVersion } from "./engine/engine-version.js";
export { type Environment, environment } from "./environment.js";
export {
  type Candidate,
  type Latency,
  type LatencyOptions,
  measureLatency,
} from "./latency.js";
export {
  measureMemory,
  measureSessionMemory,
  type MemoryJob,
  type MemoryOptions,
} from "./memory/measure-memory.js";
export type { MemoryUse } from "./memory/messages.js";
export { type ModelSource, openSession } from "./open-session.js";
export { RuntimeError, type RuntimeErrorCode, type RuntimeErrorFields } from "./runtime-error.js";
export type {
  Device,
  EngineName,
  Optimization,
  RunOptions,
  Session,
  SessionOptions,
  ValueInfo,
} from "./session.js";
