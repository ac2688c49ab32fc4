export { availableDevices, preferredPrecision } from "./devices.js";
export { type ModelSource, openSession } from "./open-session.js";
export { RuntimeError, type RuntimeErrorCode, type RuntimeErrorFields } from "./runtime-error.js";
export type { Device, Optimization, Session, SessionOptions, ValueInfo } from "./session.js";
