/*
 * An assembler of WebAssembly modules, for the loops that are generated from TypeScript.
 */
export type { Code, ValueType } from "./code.js";
export {
  block,
  branch,
  branchIf,
  copyBytes,
  f32,
  f32x4,
  f64,
  f64x2,
  fillBytes,
  finish,
  i16x8,
  i8x16,
  i32,
  i32x4,
  i64,
  loop,
  select,
  v128,
  when,
} from "./instructions.js";
export {
  type Local,
  repeatWhile,
  type Scope,
  type Signature,
  upTo,
  type WasmFunction,
  type WasmModule,
  wasmModule,
} from "./module.js";
export { type WasmMemory, webAssembly, type WebAssemblyApi } from "./web-assembly.js";
