// The kernels' module as a file, for hosts that compile WebAssembly when they are deployed and not while they run. Run
// by the build.
import { writeFileSync } from "node:fs";
import { kernelModule } from "../dist/index.js";

writeFileSync(new URL("../dist/kernels.wasm", import.meta.url), kernelModule());
