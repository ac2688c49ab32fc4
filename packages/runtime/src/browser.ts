// What `@nasty/runtime` is on a page: the same names. What needs Node's processes and files says so when it is called.
import { RuntimeError } from "./runtime-error.js";

export { type Candidate, type Latency, type LatencyOptions, measureLatency } from "./latency.js";
export {
  type OrtModule,
  openSession,
  provideRuntime,
  RuntimeError,
  type Session,
  type SessionOptions,
  type WebSessionOptions,
} from "./web.js";

const needsNode = (name: string) => (): never => {
  throw new RuntimeError(
    "needs-native",
    `${name}: expected Node, which has processes and files, got a browser`,
  );
};

export const auditModel = needsNode("auditModel");
export const availableDevices = needsNode("availableDevices");
export const chooseModel = needsNode("chooseModel");
export const engineVersion = needsNode("engineVersion");
export const environment = needsNode("environment");
export const gpuAvailable = needsNode("gpuAvailable");
export const measureMemory = needsNode("measureMemory");
export const measureSessionMemory = needsNode("measureSessionMemory");
export const openAudited = needsNode("openAudited");
export const preferredPrecision = needsNode("preferredPrecision");
