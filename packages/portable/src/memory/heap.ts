import {
  dataConstructor,
  type DType,
  elementCount,
  storageLength,
  type Tensor,
  type TensorData,
} from "@nasty/core";
import { type WasmMemory, webAssembly } from "@nasty/core/wasm";
import { PortableError } from "../portable-error.js";

const pageBytes = 65_536;
/** Addresses are compared as signed integers. */
const mostPages = 32_767;

/** Bytes up to the next multiple of a cache line: vectors are stored whole, also past the end of a tensor. */
export const padded = (bytes: number): number => Math.ceil((bytes + 16) / 64) * 64;

/**
 * The memory of one model: first what stays (weights), then what a run computes. Views are made anew when it grows, so
 * they are read from here each time.
 */
export class Heap {
  readonly memory: WasmMemory;
  #u8: Uint8Array;
  #i32: Int32Array;
  #f32: Float32Array;
  #fixedEnd = pageBytes;
  #isSealed = false;

  constructor() {
    const api = webAssembly();
    if (api === undefined)
      throw new PortableError(
        "no-webassembly",
        "openModel: WebAssembly: expected an engine that has it, got none",
      );
    this.memory = new api.Memory({ initial: 2, maximum: mostPages });
    this.#u8 = new Uint8Array(this.memory.buffer);
    this.#i32 = new Int32Array(this.memory.buffer);
    this.#f32 = new Float32Array(this.memory.buffer);
  }

  get u8(): Uint8Array {
    return this.#u8;
  }

  get i32(): Int32Array {
    return this.#i32;
  }

  get f32(): Float32Array {
    return this.#f32;
  }

  /** Where a run's values begin. */
  get fixedEnd(): number {
    this.#isSealed = true;
    return this.#fixedEnd;
  }

  /** Room that stays for good; all of it is taken before the first run. */
  reserve(bytes: number): number {
    if (this.#isSealed) throw new Error("reserve: the memory behind the weights is in use");
    const at = this.#fixedEnd;
    this.grow(at + padded(bytes));
    this.#fixedEnd = at + padded(bytes);
    return at;
  }

  /** Room that stays, with a tensor in it. */
  keep(tensor: Tensor): number {
    const bytes = bytesOf(tensor.data);
    const at = this.reserve(bytes.length);
    this.#u8.set(bytes, at);
    return at;
  }

  /** @throws PortableError `out-of-memory` */
  grow(end: number): void {
    if (end <= this.#u8.length) return;
    const pages = Math.ceil((end - this.#u8.length) / pageBytes);
    try {
      this.memory.grow(pages);
    } catch (cause) {
      throw new PortableError(
        "out-of-memory",
        `run: memory: expected at most ${mostPages * pageBytes} bytes and what the engine grants, got a need of ${end} bytes`,
        { cause },
      );
    }
    this.#u8 = new Uint8Array(this.memory.buffer);
    this.#i32 = new Int32Array(this.memory.buffer);
    this.#f32 = new Float32Array(this.memory.buffer);
  }

  /** A tensor over the memory itself; it is gone when the memory grows. */
  view(dtype: DType, shape: readonly number[], at: number): Tensor {
    const length = storageLength(dtype, elementCount(shape));
    const data = new (dataConstructor(dtype))(this.memory.buffer, at, length);
    return { dtype, shape, data };
  }
}

export const bytesOf = (data: TensorData): Uint8Array =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
