#!/usr/bin/env node
import module from "node:module";

// Keeps what V8 compiled for the next start; Node has it from 22.8 on.
module.enableCompileCache?.();
await import("../dist/bundle/main.js");
