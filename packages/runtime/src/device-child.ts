// Run as a process of its own by `availableDevices`: exit code 0 says that the device named in the argument computes.
import { openSession } from "./open-session.js";
import { probeModel } from "./probe-model.js";
import type { Device } from "./session.js";

const session = await openSession(probeModel(), { device: process.argv[2] as Device });
const { y } = await session.run({ x: { dtype: "float32", shape: [1], data: Float32Array.of(1.5) } });
await session.close();
process.exitCode = y?.data[0] === 3 ? 0 : 1;
